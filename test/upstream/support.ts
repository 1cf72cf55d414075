/** What the tests of several servers share. */
import { type Dispatcher, FcgiError, type Upstream } from '../../src/index.ts';
import { type FakeFpm, type FakeFpmOptions, startFakeFpm } from '../../src/testing/index.ts';
import { GET, HEAD } from '../pool/support.ts';

/** A fake PHP-FPM that answers with its name. */
export function answering(name: string, options: FakeFpmOptions = {}): Promise<FakeFpm> {
  return startFakeFpm({
    workers: 8,
    script: async (request, response) => {
      await response.stdout(`${HEAD}${name} ${await request.text()}`);
    },
    ...options,
  });
}

/** One that takes requests and answers none. */
export function hanging(options: FakeFpmOptions = {}): Promise<FakeFpm> {
  return startFakeFpm({ workers: 8, script: (_, response) => response.hang(), ...options });
}

/** An Upstream, or what is asked as one. */
export type Asked = Pick<Dispatcher, 'request'>;

/** What was answered, or the code of the error. */
export async function ask(upstream: Asked, more: object = {}): Promise<string> {
  try {
    const response = await upstream.request({ params: GET, ...more });
    return (await response.body.text()).trim();
  } catch (error) {
    if (error instanceof FcgiError) return error.code;
    throw error;
  }
}

/** One after the other. */
export async function askInTurn(upstream: Asked, count: number, more: object = {}): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < count; i++) answers.push(await ask(upstream, more));
  return answers;
}

/** All at once. */
export function askAtOnce(upstream: Asked, count: number, more: object = {}): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => ask(upstream, more)));
}

export function countOf(answers: readonly string[], one: string): number {
  return answers.filter((answer) => answer === one).length;
}

export function stateOf(upstream: Upstream, address: string): string {
  return upstream.stats.servers.find((server) => server.address === address)?.state ?? 'unknown';
}
