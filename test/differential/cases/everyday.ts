/** What browsers, scripts and command lines really send to an application with a front controller. */
import { type Case, one, post, request, type Theme } from '../support/case.ts';

const clients: Readonly<Record<string, readonly string[]>> = {
  'a browser': [
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: de,en-US;q=0.7,en;q=0.3',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'DNT: 1',
    'Cookie: PHPSESSID=0123456789abcdef; theme=dark; consent=%7B%22a%22%3Atrue%7D',
    'Upgrade-Insecure-Requests: 1',
    'Sec-Fetch-Dest: document',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Site: none',
    'Sec-Fetch-User: ?1',
    'Priority: u=0, i',
  ],
  'a script in a page': [
    'Accept: application/json',
    'X-Requested-With: XMLHttpRequest',
    'X-CSRF-Token: a1b2c3==',
    'Origin: http://example.test',
    'Referer: http://example.test/shop?page=2',
    'Authorization: Bearer eyJhbGciOiJub25lIn0.e30.',
  ],
  curl: ['User-Agent: curl/8.9.1', 'Accept: */*'],
};

const urls: readonly string[] = [
  '/',
  '/?p=42',
  '/?s=two+words&lang=de',
  '/about',
  '/about/',
  '/2024/02/29/a-post-with-a-date/',
  '/category/news/page/2/?orderby=date',
  '/wp-json/wp/v2/posts?per_page=10&_fields[]=id&_fields[]=title',
  '/index.php/api/v1/users/1',
  '/index.php?route=product/product&product_id=40',
  '/probe.php?do=show&id=1',
  '/api/users/me%40example.test',
  '/search/caf%C3%A9',
  '/de/%C3%BCber-uns',
  '/shop/item-1.html',
  '/feed.xml',
  '/sitemap.xml',
  '/robots.txt',
  '/favicon.ico',
  '/build/app.3f2a1b.js?v=1.2.3',
  '/static/site.css?v=1.2.3',
  '/static/app.js',
  '/static/pic.svg',
  '/static/pic.png',
  '/sub',
  '/sub/',
  '/.well-known/security.txt',
  '/.well-known/acme-challenge/token',
  '/wp-login.php',
  '/wp-admin/admin-ajax.php?action=x',
  '/.env',
  '/.git/HEAD',
];

const forms: readonly Case[] = ['/login', '/probe.php', '/index.php/save', '/sub/', '/?action=add'].flatMap(
  (url) => [
    one(
      `a browser's form for ${url}`,
      post(url, 'application/x-www-form-urlencoded', 'user=me%40example.test&pass=s%C3%A4cret&remember=on', {
        headers: [...(clients['a browser'] ?? []), 'Origin: http://example.test'],
      }),
      { site: 'app' },
    ),
    one(
      `JSON for ${url}`,
      post(url, 'application/json', '{"query":"{ me { name } }","variables":{}}', {
        headers: clients['a script in a page'] ?? [],
      }),
      { site: 'app' },
    ),
  ],
);

const preflight = [
  'Origin: http://other.test',
  'Access-Control-Request-Method: PUT',
  'Access-Control-Request-Headers: content-type',
];

export const everyday: Theme = {
  theme: 'everyday requests',
  cases: [
    ...urls.flatMap((url) =>
      Object.entries(clients).map(([client, headers]) =>
        one(`${url} for ${client}`, request(url, { headers }), { site: 'app' }),
      ),
    ),
    ...forms,
    one(
      "a browser's question before a request to another site",
      request('/api/things/1', {
        method: 'OPTIONS',
        headers: preflight,
      }),
      { site: 'app' },
    ),
  ],
};
