import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/index.ts';
import { startFakeFpm } from '../../src/testing/index.ts';

describe.each(['unix', 'tcp'] as const)('a Pool on the fake PHP-FPM (%s)', (transport) => {
  it('talks to it as to the real one, and loses no POST where workers are recycled', async () => {
    await using fpm = await startFakeFpm({
      transport,
      maxRequests: 7,
      writeSize: 50,
      script: async (request, response) => {
        await response.stdout('Status: 201 Created\r\nX-Method: ');
        await response.stdout(`${request.params['REQUEST_METHOD']}\r\n\r\n${await request.text()}`);
      },
    });
    await using pool = new Pool(fpm.address, { connections: 2 });
    const answers = Array.from({ length: 60 }, async (_, index) => {
      const params = { REQUEST_METHOD: 'POST', SCRIPT_FILENAME: '/a.php' };
      const { statusCode, headers, body } = await pool.request({ params, body: `body ${index}` });
      return [statusCode, headers['x-method'], await body.text()];
    });
    expect(await Promise.all(answers)).toEqual(
      Array.from({ length: 60 }, (_, index) => [201, 'POST', `body ${index}`]),
    );
    const ran = await Promise.all(fpm.requests.map((request) => request.text()));
    expect(ran.toSorted()).toEqual(Array.from({ length: 60 }, (_, index) => `body ${index}`).toSorted());
    expect(fpm.accepted).toBeGreaterThanOrEqual(8);
  });
});
