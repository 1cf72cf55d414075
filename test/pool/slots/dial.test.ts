import { describe, expect, it } from 'vitest';
import { Clock, systemTimers } from '../../../src/connection/clock.ts';
import { TcpSockets } from '../../../src/connection/evidence/acknowledged.ts';
import { systemRuntime } from '../../../src/connection/runtime.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';
import { type Connect, timedOut } from '../../../src/connection/socket/connect.ts';
import { ReadBuffer } from '../../../src/connection/socket/read-buffer.ts';
import { ConnectError } from '../../../src/errors.ts';
import { dial } from '../../../src/pool/slots/dial.ts';

const target = parseAddress('fpm.test:9000');
const refused = new ConnectError('FCGI_ERR_CONNECT', 'refused', {
  cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
});

/** How a dial ends whose tries end so, the last one again and again; each is told what is left of 200 ms. */
async function endOf(...tries: ((left: number) => ConnectError)[]): Promise<unknown> {
  const left = [...tries];
  const connect: Connect = (_, { timeout }) => {
    const next = left.length > 1 ? left.shift() : left[0];
    return Promise.reject(next?.(timeout));
  };
  return dial(target, {
    runtime: { ...systemRuntime, connect },
    clock: new Clock(systemTimers),
    readBuffer: new ReadBuffer(),
    tcpSockets: new TcpSockets(),
    signal: new AbortController().signal,
    timeout: 200,
    retryRefused: true,
    failures: 0,
  }).catch((error: unknown) => error);
}

describe('no connection within connectTimeout', () => {
  const late = (left: number): ConnectError => timedOut(target, left);

  it('as the host says nothing: the hint asks for the host', async () => {
    expect(await endOf(late)).toMatchObject({
      code: 'FCGI_ERR_CONNECT_TIMEOUT',
      message: 'no connection to fpm.test:9000 within 200 ms',
      hint: expect.stringContaining('the host does not answer'),
    });
  });

  it('as it was refused, and then nothing was said: all of the time is told, and what was heard', async () => {
    expect(await endOf(() => refused, late)).toMatchObject({
      message: 'no connection to fpm.test:9000 within 200 ms',
      cause: refused,
      hint: expect.stringContaining('nothing listens'),
    });
  });
});
