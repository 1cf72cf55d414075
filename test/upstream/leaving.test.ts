/** A server that was taken out of the list ends what it has: who is slow is no faster by that. */
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type DispatchHandler, type Ended, Upstream } from '../../src/index.ts';
import { GET, gate, HEAD, PUT } from '../pool/support.ts';
import { answering, ask } from './support.ts';

/** Twice in turn, on the other server: what had as long a timeout before is over by then. */
async function timedOutTwice(upstream: Upstream): Promise<void> {
  for (let i = 0; i < 2; i++) expect(await ask(upstream)).toBe('FCGI_ERR_BODY_TIMEOUT');
}

const times = { bodyTimeout: 120, headersTimeout: 120 };

/** Answers, and does not come to an end. */
function hanging(): ReturnType<typeof answering> {
  return answering('b', {
    script: async (_request, response) => {
      await response.stdout(`${HEAD}b`);
      await response.hang();
    },
  });
}

it('a reader who has paused the response goes on when he likes, and has all of it', async () => {
  const body = 'x'.repeat(4_000_000);
  await using a = await answering('a', {
    script: (_request, response) => response.stdout(HEAD + body),
  });
  await using b = await hanging();
  await using upstream = new Upstream([a.address], times);
  const paused = gate();
  let length = 0;
  let resume = (): void => {};
  const over = new Promise<Ended>((resolve, reject) => {
    const handler: DispatchHandler = {
      onResponseStart(controller) {
        controller.pause();
        resume = () => controller.resume();
        paused.open();
      },
      onResponseData(_controller, chunk) {
        length += chunk.length;
      },
      onResponseEnd: (_controller, ended) => resolve(ended),
      onResponseError: (_controller, error) => reject(error),
    };
    upstream.dispatch({ params: GET }, handler);
  });
  await paused.opened;
  upstream.update([b.address]);
  await Promise.race([timedOutTwice(upstream), over]);
  resume();
  expect(await over).toMatchObject({ server: a.address, executed: 'yes' });
  expect(length).toBe(body.length);
});

it('a source that has no more of its body for a while goes on when it likes', async () => {
  await using a = await answering('a');
  await using b = await hanging();
  await using upstream = new Upstream([a.address], times);
  const more = gate();
  async function* slow(): AsyncGenerator<string> {
    yield 'one ';
    await more.opened;
    yield 'two';
  }
  const asked = ask(upstream, { params: { ...PUT, CONTENT_LENGTH: '7' }, body: slow() });
  while (a.accepted === 0) await new Promise((resolve) => setImmediate(resolve));
  upstream.update([b.address]);
  await Promise.race([timedOutTwice(upstream), asked]);
  more.open();
  expect(await asked).toBe('a one two');
});

/** Asks one that waits for the worker of a server, which is then taken out of the list; with what it is answered. */
async function takenOutUnder(more: object): Promise<string> {
  const release = gate();
  await using a = await answering('a', {
    workers: 1,
    script: async (request, response) => {
      if (request.params['QUERY_STRING'] === 'slow') await release.opened;
      await response.stdout(`${HEAD}a`);
    },
  });
  await using b = await answering('b');
  await using upstream = new Upstream([a.address], { proxied: true, headersTimeout: 20_000 });
  // It is known to answer FCGI_GET_VALUES.
  expect(await ask(upstream)).toBe('a');
  const running = ask(upstream, { params: { ...GET, QUERY_STRING: 'slow' } });
  await a.executed(2);
  const waiting = ask(upstream, more);
  while (a.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  upstream.update([b.address]);
  // Long enough for it to go, if it does; else its worker comes free.
  const answer = await Promise.race([waiting, setTimeout(1_000, 'it stays')]);
  release.open();
  expect(await running).toBe('a');
  return answer === 'it stays' ? waiting : answer;
}

it('a request that waits there for a worker, so that nothing of it was sent, goes to another server', async () => {
  expect(await takenOutUnder({})).toBe('b');
});

it('one that must not be sent to another stays where it is', async () => {
  expect(await takenOutUnder({ retry: 'never' })).toBe('a');
});
