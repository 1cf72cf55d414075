import { one, post, request, type Theme } from '../support/case.ts';

const list: readonly string[] = [
  '/probe.php/',
  '/probe.php/a',
  '/probe.php/a/b/c',
  '/probe.php/a/',
  '/probe.php//a',
  '/probe.php/a//b',
  '/probe.php/./a',
  '/probe.php/a/../b',
  '/probe.php/a%2Fb',
  '/probe.php/a%20b',
  '/probe.php/a+b',
  '/probe.php/caf%C3%A9',
  '/probe.php/%ff',
  '/probe.php/100%25',
  '/probe.php/a%3Fb?c=d',
  '/probe.php/a%23b',
  '/probe.php/a;b=c',
  '/probe.php/x.php',
  '/probe.php/x.php/y',
  '/probe.php/index.php',
  '/probe.php/%00',
  '/probe.php/.hidden',
  '/probe.php/.well-known/x',
  '/probe.php/a.b',
  '/probe.php/static/text.txt',
  '/sub/probe.php/info',
  '/sub/index.php/info',
  '/index.php/blog/post?p=1',
  '/probe.php%2Finfo',
  '/probe%2ephp/info',
  '/dir.php/info',
  '/missing.php/info',
  '/x.php.php/info',
  '/Upper.PHP/info',
  '/sub/info',
  '/static/text.txt/info',
  '/probe.phpx/info',
  '/caf%C3%A9.php/info',
  `/probe.php/${'i'.repeat(5000)}`,
];

export const pathInfo: Theme = {
  theme: 'PATH_INFO',
  cases: [
    ...list.flatMap((path) => {
      const shown = path.slice(0, 60);
      return [
        one(`${shown} of a plain site`, request(path)),
        one(`${shown} of a site with a front controller`, request(path), { site: 'app' }),
        one(`PUT to ${shown}`, post(path, 'text/plain', 'abc', { method: 'PUT' })),
      ];
    }),
    one('a line feed', request('/probe.php/%0a')),
    one('a raw byte', request('/probe.php/\xe9')),
    one('a folder with the name of a script', request('/dir.php/inner.php/info')),
    one('a folder with the name of a script beside a front controller', request('/dir.php/inner.php/info'), {
      site: 'app',
    }),
  ],
};
