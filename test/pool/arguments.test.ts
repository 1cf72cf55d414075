import { expect, it } from 'vitest';
import type { DispatchRequest } from '../../src/pool/dispatcher.ts';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { GET, POST, Recorder, rawServer, text } from './support.ts';

it.each<[string, unknown, string]>([
  ['no request at all', undefined, 'request'],
  ['null', null, 'request'],
  ['no params', {}, 'params'],
  ['params of a wrong type', { params: 'SCRIPT_FILENAME=/x' }, 'params'],
  ['a body of a wrong type', { params: POST, body: 5 }, 'body'],
  ['a signal that is none', { params: GET, signal: {} }, 'signal'],
  ['an unknown retry policy', { params: GET, retry: 'sometimes' }, 'retry'],
  ['a headersTimeout that is no number', { params: GET, headersTimeout: '5s' }, 'headersTimeout'],
  ['a negative bodyTimeout', { params: GET, bodyTimeout: -1 }, 'bodyTimeout'],
  ['idempotent of a wrong type', { params: GET, idempotent: 'yes' }, 'idempotent'],
  ['onStderr that is no function', { params: GET, onStderr: 'log' }, 'onStderr'],
  [
    'a CONTENT_LENGTH that is no number',
    { params: { ...POST, CONTENT_LENGTH: 'x' }, body: 'a' },
    'params.CONTENT_LENGTH',
  ],
])(
  'dispatch never throws: %s is told to the handler, by name, and nothing is dialled',
  async (_, request, option) => {
    await using server = await rawServer(() => {});
    await using pool = new Pool(server.address);
    const recorder = new Recorder();
    pool.dispatch(request as DispatchRequest, recorder);
    expect(await recorder.over).toMatchObject({
      code: 'FCGI_ERR_INVALID_ARG',
      option,
      executed: 'no',
      attempts: 0,
    });
    await expect(pool.request(request as DispatchRequest)).rejects.toMatchObject({
      code: 'FCGI_ERR_INVALID_ARG',
      option,
    });
    expect(server.sockets).toHaveLength(0);
    expect(pool.stats).toMatchObject({ connected: 0, queued: 0 });
  },
);

it.each([
  ['NUL in a name', { 'A\0B': '1' }],
  ['NUL in a value', { A: '1\0' }],
  ['NUL in a value of bytes', { A: Buffer.from([0x31, 0]) }],
  ['a value of a wrong type', { A: 5 as unknown as string }],
])('%s: the request fails before a byte is sent, and the pool goes on', async (_, params) => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address, { connections: 1 });
  await expect(pool.request({ params: { ...GET, ...params } })).rejects.toMatchObject({
    code: 'FCGI_ERR_INVALID_ARG',
    executed: 'no',
    bytesSent: 0,
  });
  expect(await text(pool, { params: GET })).toBe('ok');
  // And on a kept connection: it is as good as before.
  await expect(pool.request({ params: { ...GET, ...params } })).rejects.toMatchObject({
    code: 'FCGI_ERR_INVALID_ARG',
  });
  expect(await text(pool, { params: GET })).toBe('ok');
  expect(fpm.accepted).toBe(1);
});

it('a param that no record can hold is a typed error, never cut', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  await expect(pool.request({ params: { ...GET, BIG: 'x'.repeat(65_528) } })).rejects.toMatchObject({
    code: 'FCGI_ERR_PARAM_TOO_LARGE',
    executed: 'no',
  });
  expect(fpm.requests).toHaveLength(0);
});

it('thousands of requests that cannot be encoded fail one by one, and the next good one is answered', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address, { connections: 1, queueSize: 30_000 });
  const bad = { params: { ...GET, BAD: 'a\0b' } };
  const all = Array.from({ length: 20_000 }, () => pool.request(bad).catch((error: unknown) => error));
  const good = text(pool, { params: GET });
  for (const error of await Promise.all(all)) expect(error).toMatchObject({ option: 'params.BAD' });
  expect(await good).toBeTypeOf('string');
});
