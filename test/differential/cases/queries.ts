import { one, post, request, type Theme } from '../support/case.ts';

const form = 'application/x-www-form-urlencoded';

const list: readonly string[] = [
  '?',
  '?a',
  '?a=',
  '?=a',
  '?a=1&a=2',
  '?a[]=1&a[]=2',
  '?a[x][y]=1',
  '?a%5B%5D=1&a%5B%5D=2',
  '?a=1&&b=2&',
  '?a=1;b=2',
  '?a+b=c+d',
  '?a%20b=c%20d',
  '?a.b=1&c-d=2&e_f=3',
  '?a=%00',
  '?a=%0d%0aX:y',
  '?a=%ff%fe',
  '?a=caf%C3%A9',
  '?a=%',
  '?a=%zz',
  '?a=?b?c',
  '?a=/b/../c',
  '?/path/in/query',
  '?a=http://other.test/',
  '?a="<>`{}|^\\',
  "?a='",
  '?a=%23',
  '?phpinfo',
  '?-s',
  '?-d+allow_url_include%3d1',
  '?%ADd+allow_url_include%3d1',
  '?=PHPB8B5F2A0-3C92-11d3-A3A9-4C7B08C10000',
  '?PHP_VALUE=x&SCRIPT_FILENAME=/etc/passwd',
  '?__proto__=1&constructor=2',
  '?a=b=c',
  '?&&&',
  '?+',
];

export const queries: Theme = {
  theme: 'queries',
  cases: [
    ...list.flatMap((query) => [
      one(JSON.stringify(query), request(`/probe.php${query}`)),
      one(`${JSON.stringify(query)} and a form`, post(`/probe.php${query}`, form, 'a=form')),
    ]),
    ...['?', '?p=1&q=%20', '?a=%ff', '?/x/y'].map((query) =>
      one(`${JSON.stringify(query)} for the front controller`, request(`/blog${query}`), { site: 'app' }),
    ),
    ...['?a=1', '?', '?a=%20+b'].map((query) =>
      one(`${query} of a folder without its slash`, request(`/sub${query}`)),
    ),
    one('raw UTF-8', request('/probe.php?a=caf\xc3\xa9')),
    one('a fragment', request('/probe.php?a=1#fragment')),
    one('a query of a file', request('/static/site.css?v=123')),
  ],
};
