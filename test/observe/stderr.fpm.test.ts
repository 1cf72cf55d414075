/** What the real PHP-FPM writes to STDERR, told apart, with the request that wrote it. */
import { expect, it } from 'vitest';
import { Pool, type RequestStderr } from '../../src/index.ts';
import { startFpm } from '../fpm/support/index.ts';
import { text } from '../pool/support.ts';
import { listen } from './support.ts';

const scripts: Readonly<Record<string, readonly [source: string, messages: readonly object[]]>> = {
  'notices.php': [
    'echo $undef; trigger_error("mine", E_USER_NOTICE);\ntrigger_error("two\\nlines", E_USER_WARNING); error_log("plain");',
    [
      { level: 'warning', message: 'Undefined variable $undef', line: 1 },
      { level: 'notice', message: 'mine', line: 1 },
      { level: 'warning', message: 'two\\nlines', line: 2 },
      { level: 'log', message: 'plain', file: '', line: 0 },
    ],
  ],
  'uncaught.php': [
    'function f() {\n throw new RuntimeException("it broke", 3); }\nf();',
    [
      {
        level: 'fatal',
        message: 'Uncaught RuntimeException: it broke',
        line: 2,
        trace: [expect.stringMatching(/^#0 .*uncaught\.php\(3\): f\(\)$/), '#1 {main}'],
      },
    ],
  ],
  'parse.php': ['if (', [{ level: 'parse', message: expect.stringContaining('Unclosed'), line: 1 }]],
  'fatal.php': [
    'error_log("before");\nini_set("memory_limit", "2M"); str_repeat("x", 10000000);',
    [
      { level: 'log', message: 'before' },
      { level: 'fatal', message: expect.stringMatching(/^Allowed memory size/), line: 2 },
    ],
  ],
  // More than 8 KiB: PHP-FPM cuts it into records in the middle of a message.
  'many.php': [
    'for ($i = 0; $i < 60; $i++) error_log("line $i " . str_repeat("x", 300));',
    Array.from({ length: 60 }, (_, i) => ({ level: 'log', message: `line ${i} ${'x'.repeat(300)}` })),
  ],
};

it.each(Object.entries(scripts))('%s', async (name, [source, messages]) => {
  await using fpm = await startFpm();
  await using pool = new Pool(fpm.address);
  using heard = listen('request:stderr', 'request:asyncEnd');
  const params = fpm.script(name, source);
  await text(pool, { params });
  const [request] = heard.of('request:asyncEnd');
  const told = heard.of('request:stderr') as unknown as RequestStderr[];
  const found = told.flatMap((one) => one.messages);
  expect(found).toMatchObject(messages);
  expect(found).toHaveLength(messages.length);
  for (const one of told) expect(one.request).toBe(request);
  for (const { file, line } of found) expect(file).toBe(line === 0 ? '' : params.SCRIPT_FILENAME);
});
