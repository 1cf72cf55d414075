import { describe, expect, it } from 'vitest';
import { ConnectError, PoolError, ProtocolError, SocketError, TimeoutError } from '../../../src/errors.ts';
import { failureKind } from '../../../src/upstream/health/failure.ts';

const node = (code: string): Error => Object.assign(new Error(code), { code });
const refused = (code: string): ConnectError =>
  new ConnectError('FCGI_ERR_CONNECT', '', { cause: node(code) });

describe('what a failed request says of its server', () => {
  it.each([
    ['a refused connection', refused('ECONNREFUSED'), 'unreachable'],
    ['no socket', refused('ENOENT'), 'unreachable'],
    ['no answer to the handshake', new ConnectError('FCGI_ERR_CONNECT_TIMEOUT', ''), 'unreachable'],
    [
      'a proxy that took the connection and has closed it, as the server behind it is gone',
      new ConnectError('FCGI_ERR_CONNECT', '', { cause: new SocketError('FCGI_ERR_SOCKET_CLOSED', '') }),
      'died',
    ],
    ['a full backlog', refused('EAGAIN'), 'busy'],
    ['no file descriptor left here', refused('EMFILE'), 'none'],
    [
      'no port left here, waited for in vain',
      new ConnectError('FCGI_ERR_CONNECT_TIMEOUT', '', { cause: refused('EADDRNOTAVAIL') }),
      'none',
    ],
    ['no head in time', new TimeoutError('FCGI_ERR_HEADERS_TIMEOUT', ''), 'silent'],
    ['a body that stopped', new TimeoutError('FCGI_ERR_BODY_TIMEOUT', ''), 'silent'],
    ['a request that took too long in all', new TimeoutError('FCGI_ERR_TIMEOUT', ''), 'none'],
    ['HTTP', new ProtocolError('FCGI_ERR_RECORD_VERSION', ''), 'nonsense'],
    ['a head that is none', new ProtocolError('FCGI_ERR_HEAD_INVALID', ''), 'died'],
    [
      'CANT_MPX_CONN on a kept connection',
      new ProtocolError('FCGI_ERR_CANT_MPX_CONN', '', { facts: { reused: true } }),
      'none',
    ],
    ['CANT_MPX_CONN on a fresh one', new ProtocolError('FCGI_ERR_CANT_MPX_CONN', ''), 'nonsense'],
    ['OVERLOADED', new ProtocolError('FCGI_ERR_OVERLOADED', ''), 'busy'],
    [
      'a fresh connection that was closed unread',
      new SocketError('FCGI_ERR_SOCKET_RESET', '', { facts: { executed: 'no' } }),
      'died',
    ],
    [
      'a worker that was recycled under a kept connection',
      new SocketError('FCGI_ERR_SOCKET_CLOSED', '', { facts: { executed: 'no', reused: true } }),
      'none',
    ],
    [
      'a worker that died while it ran a script',
      new SocketError('FCGI_ERR_SOCKET_CLOSED', '', { facts: { executed: 'unknown', reused: true } }),
      'died',
    ],
    ['a full queue of our own', new PoolError('FCGI_ERR_QUEUE_FULL', ''), 'none'],
    ['the reason of an abort', new Error('enough'), 'none'],
  ])('%s: %s', (_, error, kind) => {
    expect(failureKind(error)).toBe(kind);
  });
});
