/** A page that waits for news for as long as the end of input is held back from it: half of a `headersTimeout` of 10 s. */
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFpm } from './support/index.ts';

it.each(['unix', 'tcp'] as const)(
  'pages that answer just behind the end of input, by chance: php-fpm is known as such all the same, and no POST is lost where workers leave (%s)',
  { timeout: 60_000 },
  async (transport) => {
    await using fpm = await startFpm({ transport, maxChildren: 8, maxRequests: 10 });
    const poll = fpm.script('poll.php', `usleep((int) $_SERVER['QUERY_STRING']); echo 'news';`);
    const form = fpm.script('form.php', `echo $_POST['a'];`);
    await using pool = new Pool(fpm.address, { connections: 8, headersTimeout: 10_000 });
    const run = async (params: Record<string, string>, body: string | null): Promise<string> =>
      (await pool.request({ params, body })).body.text();
    // Known as php-fpm: from one that is not, it is held back for a moment only.
    await run(poll, null);
    // The pool looks every few ms: some of them come within its 25.
    const polls = Array.from({ length: 8 }, (_, nth) => String(5_000_000 + 5_000 * nth));
    await Promise.all(polls.map((us) => run({ ...poll, QUERY_STRING: us }, null)));
    const post = { ...form, REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
    let left = 500;
    const client = async (): Promise<void> => {
      while (left-- > 0) expect(await run({ ...post, CONTENT_LENGTH: '3' }, 'a=b')).toBe('b');
    };
    await Promise.all(Array.from({ length: 8 }, client));
  },
);
