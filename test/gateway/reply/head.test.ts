import { describe, expect, it } from 'vitest';
import { ArgumentError, FcgiError, type FcgiErrorCode } from '../../../src/errors.ts';
import { ownAnswer, replyHead, statusFor } from '../../../src/gateway/reply/head.ts';

function fields(...rawHeaders: string[]): string[] {
  return replyHead('GET', 200, '', rawHeaders).fields;
}

describe('the head of a reply', () => {
  it('keeps order, case and repeats of what PHP sent', () => {
    const raw = ['X-b', '1', 'SET-Cookie', 'a', 'x-B', '2', 'Set-Cookie', 'b', 'Link', ''];
    expect(fields(...raw)).toEqual(raw);
  });

  it('has one Content-Type, Location or ETag: the last, in the place of the first', () => {
    expect(fields('content-type', 'a', 'X', '1', 'Content-Type', 'b', 'ETag', '1', 'etag', '2')).toEqual([
      'content-type',
      'b',
      'X',
      '1',
      'ETag',
      '2',
    ]);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Status',
    'X-Accel-Buffering',
    'x-accel-redirect',
  ])('loses %s', (name) => {
    expect(fields(name, 'x', 'A', '1', name.toLowerCase(), 'y')).toEqual(['A', '1']);
  });

  // a script may be a proxy itself (RFC 9110, 11.7.1: it may be forwarded), and Proxy-Status is for all on the way (RFC 9209)
  it.each(['Proxy-Authenticate', 'Proxy-Authentication-Info', 'Proxy-Status', 'Proxy-Support'])(
    'keeps %s, as nginx and Apache do',
    (name) => {
      expect(fields(name, 'x', 'A', '1')).toEqual([name, 'x', 'A', '1']);
    },
  );

  it('loses what Connection names, in any order and case', () => {
    expect(
      fields(
        'X-Hop',
        '1',
        'Connection',
        'x-hop ,\tFoo',
        'FOO',
        '2',
        'connection',
        'bar',
        'Bar',
        '3',
        'A',
        '4',
      ),
    ).toEqual(['A', '4']);
  });

  it('has no type at all where PHP says that there is none', () => {
    expect(fields('Content-Type', '', 'X', '1')).toEqual(['X', '1']);
  });

  it('cannot lose a length that frames it by naming it in Connection', () => {
    expect(fields('Connection', 'Content-Length', 'Content-Length', '5')).toEqual(['Content-Length', '5']);
  });

  it('counts a Content-Length that came twice alike', () => {
    const head = replyHead('GET', 200, '', ['Content-Length', '5', 'content-length', '5']);
    expect(head).toMatchObject({ contentLength: 5, fields: ['Content-Length', '5'] });
  });

  it.each([
    ['5', '6'],
    ['5', '6', '6'],
    ['5', '6', '5'],
  ])('does not count lengths that differ: %s, %s', (...lengths) => {
    const raw = lengths.flatMap((length) => ['Content-Length', length]);
    expect(replyHead('GET', 200, '', raw)).toMatchObject({ contentLength: null, fields: [] });
  });

  it.each(['5, 5', '5;', '+5', '-1', '5.0', '0x5', '', '5 5', '9'.repeat(16)])(
    'does not count "%s"',
    (value) => {
      expect(replyHead('GET', 200, '', ['Content-Length', value])).toMatchObject({
        contentLength: null,
        fields: [],
      });
    },
  );

  it.each([
    ['GET', 200, true, 5],
    ['POST', 500, true, 5],
    ['HEAD', 200, false, 5],
    ['GET', 304, false, 5],
    ['GET', 204, false, null],
    ['GET', 205, false, null],
    ['head', 200, true, 5],
  ])('%s %i: has a body %s, Content-Length %s', (method, status, hasBody, contentLength) => {
    expect(replyHead(method, status, '', ['Content-Length', '5'])).toMatchObject({ hasBody, contentLength });
  });

  it('has no control byte in values and phrase; other bytes stay', () => {
    const head = replyHead('GET', 200, 'a\x01\r\nb', ['X', '\x00\x1f\x7f\ta\xff']);
    expect(head).toMatchObject({ statusMessage: 'a   b', fields: ['X', '   \ta\xff'] });
  });
});

describe('the status of a failure', () => {
  const statuses: Record<FcgiErrorCode, number> = {
    FCGI_ERR_INVALID_ARG: 500,
    FCGI_ERR_PARAM_TOO_LARGE: 431,
    FCGI_ERR_BODY_LENGTH: 400,
    FCGI_ERR_BODY_LENGTH_REQUIRED: 411,
    FCGI_ERR_BODY_READ: 500,
    FCGI_ERR_SCRIPT_NOT_FOUND: 502,
    FCGI_ERR_CONNECT: 502,
    FCGI_ERR_CONNECT_TIMEOUT: 504,
    FCGI_ERR_SOCKET_CLOSED: 502,
    FCGI_ERR_SOCKET_RESET: 502,
    FCGI_ERR_TIMEOUT: 504,
    FCGI_ERR_CONTENT_LENGTH: 502,
    FCGI_ERR_ABORTED: 502,
    FCGI_ERR_HEADERS_TIMEOUT: 504,
    FCGI_ERR_BODY_TIMEOUT: 504,
    FCGI_ERR_RECORD_VERSION: 502,
    FCGI_ERR_RECORD_LENGTH: 502,
    FCGI_ERR_RECORD_ID: 502,
    FCGI_ERR_RECORD_TYPE: 502,
    FCGI_ERR_RECORD_ORDER: 502,
    FCGI_ERR_RECORD_TRAILING: 502,
    FCGI_ERR_PARAMS: 502,
    FCGI_ERR_HEAD_MISSING: 502,
    FCGI_ERR_HEAD_INVALID: 502,
    FCGI_ERR_HEAD_TOO_LARGE: 502,
    FCGI_ERR_CANT_MPX_CONN: 502,
    FCGI_ERR_OVERLOADED: 503,
    FCGI_ERR_UNKNOWN_ROLE: 502,
    FCGI_ERR_QUEUE_FULL: 503,
    FCGI_ERR_QUEUE_OVERLOAD: 503,
    FCGI_ERR_QUEUE_TIMEOUT: 503,
    FCGI_ERR_NO_LIVE_UPSTREAM: 503,
    FCGI_ERR_CLOSED: 503,
    FCGI_ERR_DESTROYED: 503,
  };

  it.each(Object.entries(statuses))('%s is %i', (code, status) => {
    expect(statusFor(new FcgiError(code as FcgiErrorCode, 'x'))).toBe(status);
    // of another copy of this package
    expect(statusFor(Object.assign(new Error('x'), { code }))).toBe(status);
  });

  it.each([
    ['params.QUERY_STRING', 414],
    ['params.REQUEST_URI', 414],
    ['params.HTTP_COOKIE', 431],
  ])('of a request whose %s is too long is %i', (option, status) => {
    expect(statusFor(new ArgumentError('FCGI_ERR_PARAM_TOO_LARGE', option, 'x'))).toBe(status);
  });

  it('that is not ours is 502', () => {
    expect(statusFor(new Error('x'))).toBe(502);
    expect(statusFor(Object.assign(new Error('x'), { code: 'EACCES' }))).toBe(502);
    expect(statusFor(undefined)).toBe(502);
  });

  it('is all that its page says', () => {
    expect(ownAnswer(502)).toEqual({
      statusCode: 502,
      headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': '16' },
      body: '502 Bad Gateway\n',
    });
    expect(ownAnswer(503).headers['Retry-After']).toBe('1');
  });
});
