import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { executionLog, startFpm } from './support/index.ts';

/**
 * PHP gives up reading such a body half-way and starts the script all the same. If the worker dies in it, the rest
 * of the body turns its end into a reset: the same sign as that of a request nobody read.
 */
const part = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
const bodies: [string, string, string, string][] = [
  ['multipart without a boundary', 'POST', 'multipart/form-data', 'y'.repeat(60_000)],
  ['multipart with a boundary that does not close', 'POST', 'Multipart/Form-Data; boundary="x', part],
  [
    'multipart with a part that has no head',
    'POST',
    'multipart/form-data; boundary=x',
    '--x\r\n\r\n1\r\n'.repeat(9_000),
  ],
  ['multipart with more parts than PHP takes', 'POST', 'multipart/form-data; boundary=x', part.repeat(5_000)],
  ['a PUT whose script does not read its body', 'PUT', 'application/json', '{}'],
  ['a PATCH whose script does not read its body', 'PATCH', 'application/json', '{}'],
  ['a DELETE with a body', 'DELETE', 'application/json', '{}'],
  ['a method that is POST only to a human', 'post', 'application/x-www-form-urlencoded', 'a=1'],
];

describe.each(['unix', 'tcp'] as const)('a body that PHP leaves unread (%s)', (transport) => {
  it.each(bodies)('runs once, though its worker dies: %s', async (_, method, type, body) => {
    await using fpm = await startFpm({ transport });
    const log = executionLog(fpm.root);
    const params = fpm.script('die.php', `${log.php} posix_kill(getmypid(), 9);`);
    await using pool = new Pool(fpm.address);
    const sent = { ...params, REQUEST_ID: '1', REQUEST_METHOD: method, CONTENT_TYPE: type };
    await expect(pool.request({ params: sent, body })).rejects.toMatchObject({
      executed: 'unknown',
      attempts: 1,
    });
    expect(log.executions()).toEqual(new Map([['1', 1]]));
  });
});
