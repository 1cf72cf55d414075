/** What a client sees of a gateway on a mock it sees of one on a Pool: a test of an application looks at HTTP. */
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { createHandler } from '../../src/gateway/node.ts';
import { type Dispatcher, Pool } from '../../src/index.ts';
import { MockDispatcher, startFakeFpm } from '../../src/testing/index.ts';

async function seen(php: Dispatcher): Promise<unknown> {
  const handler = createHandler(php, { fpmRoot: '/srv/app', onError: () => undefined });
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  try {
    const response = await fetch(`http://127.0.0.1:${port}/a.php`);
    const { status, headers } = response;
    return [status, headers.get('content-length'), (await response.text()).length];
  } finally {
    server.close();
  }
}

it.each([
  { page: 'a short page has a length', answer: { body: 'Hello' }, result: [200, '5', 5] },
  { page: 'so has an empty one', answer: {}, result: [200, '0', 0] },
  { page: 'a long one comes in pieces', answer: { body: 'x'.repeat(300_000) }, result: [200, null, 300_000] },
  {
    page: 'a Content-Length that is not kept is known before the head is sent',
    answer: { body: 'Hello', headers: { 'Content-Length': '7' } },
    result: [502, '16', 16],
  },
])('behind a handler: $page', async ({ answer, result }) => {
  const { body = '', headers = {} } = answer;
  await using fpm = await startFakeFpm({
    script: (_request, response) => {
      const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return response.stdout(`Status: 200\r\n${fields.join('')}\r\n${body}`);
    },
  });
  await using pool = new Pool(fpm.address);
  expect(await seen(pool)).toEqual(result);
  expect(await seen(new MockDispatcher(answer))).toEqual(result);
});
