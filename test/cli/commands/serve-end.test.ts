/** How `serve` ends, and how it goes on when php-fpm does. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StopSignal } from '../../../src/cli/io.ts';
import { run } from '../../../src/cli/main.ts';
import { childrenOf, firstPid, gone } from '../../fpm/support/fpm.ts';
import { waitFor, within } from '../../fpm/support/wait.ts';
import { FakeIo } from '../support/io.ts';
import { serve } from '../support/serving.ts';
import { masters, SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

describe('the end', () => {
  const slow = '<?php ob_end_flush(); echo "begun "; flush(); sleep(1); echo "ended";';

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s: a slow request is answered, then the status is 0',
    async (signal) => {
      site.put('slow.php', slow);
      await using served = await serve(site.path, []);
      const response = await fetch(`${served.url}/slow.php`);
      const status = served.stop(signal);
      const asked = (): Promise<string> =>
        fetch(served.url).then(
          () => 'answered',
          () => 'refused',
        );
      await expect.poll(asked).toBe('refused');
      expect(await response.text()).toBe('begun ended');
      expect(await status).toBe(0);
      expect(site.filesLeft).toEqual([]);
      expect(masters()).toEqual([]);
      expect(served.io.listeners).toBe(0);
    },
  );

  it('what goes on longer than --drain-timeout is cut, and the status is 1', async () => {
    site.put('slow.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(20);');
    await using served = await serve(site.path, ['--drain-timeout', '0.1']);
    const response = await fetch(`${served.url}/slow.php`);
    expect(await served.stop()).toBe(1);
    await expect(response.text()).rejects.toThrow();
    expect(served.io.err).toMatch(/requests were cut after 0\.1 s \(--drain-timeout\)\n$/);
    expect(site.filesLeft).toEqual([]);
  });

  it.each<StopSignal>(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])(
    '%s that comes twice at once, from the terminal and from a runner such as concurrently, cuts nothing',
    async (signal) => {
      site.put('slow.php', '<?php ob_end_flush(); echo "begun "; flush(); usleep(300000); echo "ended";');
      await using served = await serve(site.path, []);
      const response = await fetch(`${served.url}/slow.php`);
      served.io.signal(signal);
      expect(await served.stop(signal)).toBe(0);
      expect(await response.text()).toBe('begun ended');
    },
  );

  it('a second signal ends it at once, php-fpm too', async () => {
    site.put('slow.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(20);');
    await using served = await serve(site.path, []);
    const response = await fetch(`${served.url}/slow.php`);
    const pids = [...masters(), ...masters().flatMap(childrenOf)];
    served.io.signal('SIGTERM');
    expect(await served.stop('SIGINT')).toBe(130);
    await expect(response.text()).rejects.toThrow();
    await gone(pids);
  });
});

describe('php-fpm that is long in starting, as one that preloads is', () => {
  it('is ended by the first signal, with status 0 and no file left', async () => {
    const fpm = join(site.parent, 'fpm');
    const shown = join(site.parent, 'started');
    const version = 'PHP 8.2.0 (fpm-fcgi)';
    const script = `[ "$1" = -v ] && echo '${version}' && exit\necho $$ >'${shown}.new'; mv '${shown}.new' '${shown}'; exec sleep 60\n`;
    writeFileSync(fpm, `#!/bin/sh\n${script}`, { mode: 0o755 });
    const io = new FakeIo(site.path);
    const ended = run(['serve', '--listen', '127.0.0.1:0', '--fpm', fpm], io);
    await waitFor(() => existsSync(shown), { what: 'its start', timeout: 20_000 });
    io.signal('SIGTERM');
    expect([await within(ended, 20_000, 'the end of serve'), io.out, io.err]).toEqual([0, '', '']);
    await gone([Number(readFileSync(shown, 'utf8'))]);
    expect(site.filesLeft).toEqual([]);
    expect(io.listeners).toBe(0);
  });
});

describe('php-fpm that ends', () => {
  it('by SIGKILL is started again, and serves', async () => {
    site.put('index.php', '<?php echo getmypid();');
    await using served = await serve(site.path, []);
    const before = await text(served.url);
    process.kill(firstPid(masters()), 'SIGKILL');
    await served.io.complained(/^php-fpm ended: it was ended by SIGKILL; starting it again$/m);
    const response = await fetch(served.url);
    expect(response.status).toBe(200);
    expect(await response.text()).not.toBe(before);
    expect(await served.stop()).toBe(0);
    expect(site.filesLeft).toEqual([]);
  });
});
