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
const refused = failed('ECONNREFUSED');

/** As Node has it: of several addresses, one error for each in the order in which they were tried. */
function failed(...codes: string[]): ConnectError {
  const errors = codes.map((code) => Object.assign(new Error(code), { code }));
  const cause = errors.length === 1 ? errors[0] : new AggregateError(errors);
  return new ConnectError('FCGI_ERR_CONNECT', 'not connected', { cause });
}

/** How a dial ends whose tries end so, the last one again and again; each is told what is left of 200 ms. */
function endOf(...tries: ((left: number) => ConnectError)[]): Promise<unknown> {
  return endOfKnown(false, ...tries);
}

/** `known`: there was a connection before. */
async function endOfKnown(known: boolean, ...tries: ((left: number) => ConnectError)[]): Promise<unknown> {
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
    known,
    onRefused: () => {},
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

describe('is tried again within connectTimeout', () => {
  it.each<[string, string[]]>([
    ['a server that refuses', ['ECONNREFUSED']],
    ['a host, or a container, that cannot be found on its network for the moment', ['EHOSTUNREACH']],
    ['a name of which one address leads nowhere, and the other refuses', ['ENETUNREACH', 'ECONNREFUSED']],
    ['... and answers nothing', ['ETIMEDOUT', 'ECONNREFUSED']],
    ['... behind the other', ['ECONNREFUSED', 'ETIMEDOUT']],
  ])('%s', async (_, codes) => {
    const over = failed('EACCES');
    expect(
      await endOf(
        () => failed(...codes),
        () => over,
      ),
    ).toBe(over);
  });

  it.each<[string, string[]]>([
    ['not who may not connect', ['EACCES']],
    ['not a network to which there is no way', ['ENETUNREACH']],
    ['not a name that does not exist', ['ENOTFOUND']],
    ['not a name whose addresses all lead nowhere', ['ENETUNREACH', 'ETIMEDOUT']],
  ])('%s', async (_, codes) => {
    const last = failed(...codes);
    expect(
      await endOf(
        () => last,
        () => refused,
      ),
    ).toBe(last);
  });

  it('a name that has led to a server before, as a container that restarts has none meanwhile', async () => {
    const gone = failed('ENOTFOUND');
    const over = failed('EACCES');
    expect(
      await endOfKnown(
        true,
        () => gone,
        () => over,
      ),
    ).toBe(over);
    const late = (left: number): ConnectError => timedOut(target, left);
    expect(await endOfKnown(true, () => gone, late)).toMatchObject({
      code: 'FCGI_ERR_CONNECT_TIMEOUT',
      hint: 'the name fpm.test does not resolve',
    });
  });
});
