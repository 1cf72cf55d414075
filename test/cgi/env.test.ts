import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildParams } from '../../src/cgi/build-params.ts';
import { type HttpFacts, type Params, ParamsBuilder, type ScriptOptions } from '../../src/cgi/env.ts';
import { parseTarget } from '../../src/cgi/target.ts';
import { ArgumentError } from '../../src/errors.ts';

const root = '/srv/app';

function request(facts: Partial<HttpFacts> = {}): HttpFacts {
  return { method: 'GET', url: '/index.php', headers: [], ...facts };
}

function params(facts: Partial<HttpFacts> = {}, script: Partial<ScriptOptions> = {}): Params {
  return buildParams(request(facts), { root, ...script });
}

function withHeaders(...headers: [string, string][]): Params {
  return params({ headers });
}

/** Which option the ArgumentError names. */
function refused(facts: Partial<HttpFacts>): string {
  try {
    params(facts);
  } catch (error) {
    if (error instanceof ArgumentError && error.code === 'FCGI_ERR_INVALID_ARG') return error.option;
    throw error;
  }
  throw new Error('it was taken');
}

describe('params', () => {
  it('are those of fastcgi_params and RFC 3875', () => {
    const made = params({
      method: 'POST',
      url: '/a/b.php/c/d?x=1&y=%20',
      headers: [
        ['Host', 'Example.org:8443'],
        ['Content-Type', 'text/plain'],
        ['Content-Length', '5'],
        ['User-Agent', 'x'],
      ],
      protocol: 'HTTP/1.0',
      remote: { address: '192.0.2.7', port: 40000 },
      local: { address: '192.0.2.1', port: 8443 },
      tls: true,
    });
    expect(made).toEqual({
      SCRIPT_FILENAME: '/srv/app/a/b.php',
      QUERY_STRING: 'x=1&y=%20',
      REQUEST_METHOD: 'POST',
      CONTENT_TYPE: 'text/plain',
      CONTENT_LENGTH: '5',
      SCRIPT_NAME: '/a/b.php',
      PATH_INFO: '/c/d',
      REQUEST_URI: '/a/b.php/c/d?x=1&y=%20',
      DOCUMENT_URI: '/a/b.php/c/d',
      DOCUMENT_ROOT: '/srv/app',
      SERVER_PROTOCOL: 'HTTP/1.0',
      REQUEST_SCHEME: 'https',
      HTTPS: 'on',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_SOFTWARE: 'fastcgi-pool',
      REMOTE_ADDR: '192.0.2.7',
      REMOTE_PORT: '40000',
      SERVER_ADDR: '192.0.2.1',
      SERVER_PORT: '8443',
      SERVER_NAME: 'example.org',
      REDIRECT_STATUS: '200',
      HTTP_HOST: 'Example.org:8443',
      HTTP_USER_AGENT: 'x',
    });
  });

  it('leave out what is not there: PATH_INFO, PATH_TRANSLATED, HTTPS, CONTENT_*, REMOTE_*', () => {
    expect(Object.keys(params()).sort()).toEqual([
      'DOCUMENT_ROOT',
      'DOCUMENT_URI',
      'GATEWAY_INTERFACE',
      'QUERY_STRING',
      'REDIRECT_STATUS',
      'REQUEST_METHOD',
      'REQUEST_SCHEME',
      'REQUEST_URI',
      'SCRIPT_FILENAME',
      'SCRIPT_NAME',
      'SERVER_NAME',
      'SERVER_PORT',
      'SERVER_PROTOCOL',
      'SERVER_SOFTWARE',
    ]);
  });

  it('of a folder name its index, of other paths the front controller, with the URL as it was', () => {
    expect(params({ url: '/' })).toMatchObject({ SCRIPT_NAME: '/index.php', REQUEST_URI: '/' });
    expect(params({ url: '/blog/' }, { index: 'home.php' })['SCRIPT_FILENAME']).toBe(
      '/srv/app/blog/home.php',
    );
    const front = params({ url: '/blog/1?x' }, { frontController: '/app.php' });
    expect(front).toMatchObject({ SCRIPT_NAME: '/app.php', REQUEST_URI: '/blog/1?x', QUERY_STRING: 'x' });
    expect(front).not.toHaveProperty('PATH_INFO');
  });

  it('hold no double slash where root ends with one', () => {
    expect(params({}, { root: '/srv/app/' })).toMatchObject({
      DOCUMENT_ROOT: '/srv/app',
      SCRIPT_FILENAME: '/srv/app/index.php',
    });
  });

  it('say 127.0.0.1 where a socket of both families says ::ffff:127.0.0.1', () => {
    const made = params({
      remote: { address: '::ffff:127.0.0.1', port: 1 },
      local: { address: '::1', port: 80 },
    });
    expect(made).toMatchObject({ REMOTE_ADDR: '127.0.0.1', SERVER_ADDR: '::1', SERVER_NAME: '::1' });
  });

  it('carry bytes above 0x7f of the URL as bytes, after a root that is text', () => {
    const made = params({ url: '/%ff\xe9.php/\xfe?\xfd' }, { root: '/srv/ä' });
    expect(made['SCRIPT_NAME']).toEqual(Buffer.from('/\xff\xe9.php', 'latin1'));
    expect(made['SCRIPT_FILENAME']).toEqual(
      Buffer.concat([Buffer.from('/srv/ä', 'utf8'), Buffer.from('/\xff\xe9.php', 'latin1')]),
    );
    expect(made['PATH_INFO']).toEqual(Buffer.from('/\xfe', 'latin1'));
    expect(made['REQUEST_URI']).toEqual(Buffer.from('/%ff\xe9.php/\xfe?\xfd', 'latin1'));
    expect(made['QUERY_STRING']).toEqual(Buffer.from('\xfd', 'latin1'));
  });

  it('that are configured win over all that comes from outside', () => {
    const made = params(
      { headers: [['X-A', 'outside']] },
      { params: { HTTP_X_A: 'inside', SERVER_NAME: 'here', PHP_VALUE: 'x=1' } },
    );
    expect(made).toMatchObject({ HTTP_X_A: 'inside', SERVER_NAME: 'here', PHP_VALUE: 'x=1' });
  });

  it.each(['/a%00.php', '/../x.php', '/%', '*', '/style.css', '/x.php%0a'])(
    'are none for the URL %s',
    (url) => {
      expect(refused({ url })).toBe('url');
    },
  );

  it.each(['', 'GET ', 'G\nET', 'GE:T', 'G\0'])('are none for the method %j', (method) => {
    expect(refused({ method })).toBe('method');
  });
});

describe('request headers', () => {
  it('become HTTP_*, Authorization too', () => {
    expect(
      withHeaders(['X-Forwarded-For', '1'], ['authorization', 'Basic eDp5'], ['ACCEPT', '']),
    ).toMatchObject({
      HTTP_X_FORWARDED_FOR: '1',
      HTTP_AUTHORIZATION: 'Basic eDp5',
      HTTP_ACCEPT: '',
    });
  });

  it('that come more than once are joined, cookies with a semicolon', () => {
    const made = withHeaders(['X-A', '1'], ['Cookie', 'a=1'], ['x-a', '2'], ['cookie', 'b=2'], ['X-A', '3']);
    expect(made).toMatchObject({ HTTP_X_A: '1, 2, 3', HTTP_COOKIE: 'a=1; b=2' });
  });

  it('that come very often take no long time', () => {
    const begin = performance.now();
    const made = withHeaders(...Array.from({ length: 100_000 }, (): [string, string] => ['X-A', '\xe9']));
    // to compare them takes far longer than to make them
    expect(performance.now() - begin).toBeLessThan(3000);
    expect(made['HTTP_X_A']).toEqual(Buffer.from(Array(100_000).fill('\xe9').join(', '), 'latin1'));
  });

  it('are refused with a line break in any of those that are joined', () => {
    expect(
      refused({
        headers: [
          ['X-A', 'a'],
          ['X-A', 'b\nc'],
        ],
      }),
    ).toBe('headers');
  });

  it('Authorization that comes twice is refused, as by nginx: Node checks the first, Laravel takes the last', () => {
    const headers: [string, string][] = [
      ['Authorization', 'Bearer checked'],
      ['authorization', 'Bearer used'],
    ];
    expect(refused({ headers })).toBe('headers');
  });

  it('keep their bytes, joined ones too', () => {
    expect(withHeaders(['X-A', '\xe9\xff'])['HTTP_X_A']).toEqual(Buffer.from('e9ff', 'hex'));
    expect(withHeaders(['X-A', '\xe9'], ['X-A', 'b'], ['X-A', '\xff'])['HTTP_X_A']).toEqual(
      Buffer.from('\xe9, b, \xff', 'latin1'),
    );
  });

  it.each([
    ['httpoxy', 'Proxy'],
    ['httpoxy in another case', 'pRoXy'],
    ['an alias with an underscore', 'Remote_User'],
    ['an alias with a dot', 'Remote.User'],
    ['an alias with a blank', 'Remote User'],
    ['an alias in bytes', 'Remote\xadUser'],
    ['an ini setting', 'PHP_VALUE'],
    ['an ini setting for good', 'PHP_ADMIN_VALUE'],
    ['a variable of CGI', 'SCRIPT_FILENAME'],
    ['a param name cut by NUL', 'X\0Y'],
    ['a pseudo-header of HTTP/2', ':path'],
    ['no name', ''],
    ['a hop by hop header', 'Transfer-Encoding'],
    ['a hop by hop header', 'Connection'],
    ['a hop by hop header', 'Proxy-Authorization'],
    ['a hop by hop header', 'TE'],
  ])('never pass: %s (%s)', (_, name) => {
    expect(withHeaders([name, 'evil'])).toEqual(withHeaders());
  });

  it('named in Connection still pass: a client cannot take away what a proxy in front has added', () => {
    expect(withHeaders(['Connection', 'X-Real-IP'], ['X-Real-IP', '192.0.2.7'])['HTTP_X_REAL_IP']).toBe(
      '192.0.2.7',
    );
  });

  it('cannot become a variable that is not a header', () => {
    const own = new Set(Object.keys(params()));
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.oneof(fc.stringMatching(/^[A-Za-z_.-]{1,12}$/), fc.constantFrom('Https', 'S', '-')),
            fc.stringMatching(/^[a-z]{0,4}$/),
          ),
        ),
        (headers) => {
          const fair = headers.filter(([name]) => !/^(content-length|content-type|host)$/i.test(name));
          const made = params({ headers: fair });
          for (const [name, value] of Object.entries(made)) {
            if (own.has(name)) expect(value).toEqual(params()[name]);
            else expect(name).toMatch(/^HTTP_[A-Z_]+$/);
          }
        },
      ),
    );
  });

  it.each(['a\0b', 'a\rb', 'a\nb', 'a\u010ab', '\u{1f600}'])('are refused with the value %j', (value) => {
    expect(refused({ headers: [['X-A', value]] })).toBe('headers');
  });

  it.each([[new Uint8Array(2)], [5], [undefined], [['a', 'b']]])(
    'that are no text are named: %o',
    (value) => {
      const pairs = [
        ['Host', 'a.example'],
        ['X-A', value],
      ] as unknown as [string, string][];
      // as a list, and as what can be read only once
      for (const headers of [pairs, new Map(pairs), pairs.values()]) {
        expect(() => params({ headers })).toThrow(
          expect.objectContaining({
            option: 'headers',
            message: expect.stringMatching(/^The request header X-A must be a string, not /),
          }),
        );
      }
    },
  );

  it.each([[5], ['ab'], [['X-A']], [[5, 'a']], [['X-A', 'a', 'b']]])(
    'that are no pairs are refused: %j',
    (pair) => {
      const pairs = [pair] as unknown as [string, string][];
      for (const headers of [pairs, pairs.values()]) expect(refused({ headers })).toBe('headers');
    },
  );

  it('of node, an object, are refused with what to give in their place', () => {
    const headers = { host: 'a.example' } as unknown as HttpFacts['headers'];
    expect(() => params({ headers })).toThrow(/not an Object: give Object\.entries\(it\)$/);
    const given = Object.entries({ host: 'a.example', 'x-a': 'b' });
    expect(params({ headers: given })).toMatchObject({ HTTP_HOST: 'a.example', HTTP_X_A: 'b' });
  });

  it.each(['', '-1', '+5', '5, 5', '0x5', '5 ', '1e3'])('Content-Length "%s" is refused', (value) => {
    expect(refused({ headers: [['Content-Length', value]] })).toBe('headers');
  });

  it('a length that was counted wins over Content-Length', () => {
    expect(params({ headers: [['Content-Length', '5']], contentLength: 7 })['CONTENT_LENGTH']).toBe('7');
    expect(params({ contentLength: 0 })['CONTENT_LENGTH']).toBe('0');
  });
});

it('a request gets its own headers, whatever those before it were', () => {
  const builder = new ParamsBuilder('/srv', new Set());
  const asked = (headers: [string, string][]): Params => {
    const target = parseTarget('/a.php');
    if ('refused' in target) throw new Error(target.refused);
    return builder.build({ method: 'GET', url: '/a.php', headers }, target, {
      scriptName: '/a.php',
      pathInfo: '',
    });
  };
  const first = asked([
    ['Host', 'a.example'],
    ['Cookie', 'a=1'],
  ]);
  expect(asked([['Host', 'b.example']])).toMatchObject({ HTTP_HOST: 'b.example', SERVER_NAME: 'b.example' });
  expect(asked([['Host', 'a.example']])).not.toHaveProperty('HTTP_COOKIE');
  expect(asked([['Cookie', 'a=\xff']])['HTTP_COOKIE']).toEqual(Buffer.from('a=\xff', 'latin1'));
  expect(asked([['Cookie', 'a=1']])).toMatchObject({ HTTP_COOKIE: 'a=1', SERVER_NAME: '' });
  expect(() => asked([['Host', '']])).toThrow('Host');
  expect(first).toMatchObject({ HTTP_HOST: 'a.example', SERVER_NAME: 'a.example', HTTP_COOKIE: 'a=1' });
});

describe('Host', () => {
  it.each([
    ['example.org', 'example.org'],
    ['EXAMPLE.org:80', 'example.org'],
    ['[2001:DB8::1]:8080', '[2001:db8::1]'],
    ['my_app.test', 'my_app.test'],
    ['example.org:', 'example.org'],
    ['example.org.', 'example.org'],
  ])('%s is SERVER_NAME %s, and HTTP_HOST as it came', (header, name) => {
    expect(withHeaders(['Host', header])).toMatchObject({ SERVER_NAME: name, HTTP_HOST: header });
  });

  it.each([
    '',
    ':80',
    'a b',
    'a/b',
    'user@a',
    'a"<script>',
    'a:b',
    'a:80:80',
    '[::1',
    'a,b',
    'a:999999',
    '\xe9',
    'a\\b',
    // names with an empty label are none (RFC 1035, 2.3.1), and nginx refuses them
    '.',
    '..',
    '.a',
    'a..b',
    'a..:80',
  ])('"%s" is refused', (header) => {
    expect(refused({ headers: [['Host', header]] })).toBe('headers');
  });

  it('that comes twice is refused: each reader would pick another', () => {
    expect(
      refused({
        headers: [
          ['Host', 'a'],
          ['host', 'b'],
        ],
      }),
    ).toBe('headers');
  });

  it('gives way to the host of a URL in the request line (RFC 9112, 3.2.2)', () => {
    expect(params({ url: 'http://a.example:81/x.php', headers: [['Host', 'b.example']] })).toMatchObject({
      HTTP_HOST: 'a.example:81',
      SERVER_NAME: 'a.example',
      REQUEST_URI: '/x.php',
    });
    expect(refused({ url: 'http://user@a.example/x.php' })).toBe('headers');
  });

  it.each([
    ['http://x:18640/index.php', '', '18640'],
    ['/index.php', 'x:18640', '18640'],
    ['/index.php', '[::1]:81', '81'],
    ['/index.php', 'x:', '80'],
    ['/index.php', 'x', '80'],
  ])("of %s (Host: %s) has the server's port where nobody knows its socket: %s", (url, host, port) => {
    const headers: [string, string][] = host === '' ? [] : [['Host', host]];
    expect(params({ url, headers })['SERVER_PORT']).toBe(port);
    expect(params({ url, headers, local: { address: '::1', port: 9 } })['SERVER_PORT']).toBe('9');
  });
});

describe('PATH_INFO', () => {
  it('that equals a page of PHP-FPM goes out under a name that PHP-FPM does not compare', () => {
    expect(params({ url: '/index.php/status' })).toMatchObject({ 'PATH INFO': '/status' });
    expect(params({ url: '/index.php/status' })).not.toHaveProperty('PATH_INFO');
    expect(params({ url: '/index.php/ping' })).not.toHaveProperty('PATH_INFO');
    expect(params({ url: '/index.php/fpm' }, { fpmPages: ['/fpm'] })).not.toHaveProperty('PATH_INFO');
    expect(params({ url: '/index.php/status/' })).toMatchObject({ PATH_INFO: '/status/' });
    expect(params({ url: '/index.php/status' }, { fpmPages: [] })).toMatchObject({ PATH_INFO: '/status' });
  });
});
