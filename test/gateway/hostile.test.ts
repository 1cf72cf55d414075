/** Laws that hold for any path, header or answer that somebody may make up. */
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { replyHead } from '../../src/gateway/reply/head.ts';
import { readOptions } from '../../src/gateway/settings.ts';
import { Site } from '../../src/gateway/site/site.ts';
import { tempSite } from './temp-site.ts';

const site = tempSite({
  'index.php': '',
  'a.php': '',
  'A.PHP': '',
  'sub/index.php': '',
  'dir.php/b.php': '',
  'uploads/evil.jpg': '',
  '.git/hook.php': '',
  '\\evil.example/index.php': '',
  '../outside/secret.php': '',
  '../root-sibling/x.php': '',
});
site.link('../outside', 'link');
site.link('../outside/secret.php', 'secret.php');
afterAll(site.remove);

const names = [
  'a.php',
  'index.php',
  'sub',
  'dir.php',
  'b.php',
  'uploads',
  'evil.jpg',
  '.git',
  'hook.php',
  'link',
];
const piece = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(...names, 'secret.php', 'root-sibling', 'x.php', '\\evil.example'),
  },
  { weight: 6, arbitrary: fc.constantFrom('/', '//', '/../', '/./', '/..', '%2f', '%2F', '%5c', '\\', '.') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('%2e%2e', '%252e', '%00', '%0a', '%20', '%', '?', '#', '@', ':', ';', '%ff'),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
);
const url = fc
  .tuple(fc.constantFrom('/', '/', '/', '', 'http://h/'), fc.array(piece, { maxLength: 9 }))
  .map(([start, pieces]) => start + pieces.join(''));

describe('whatever the URL', () => {
  it.each([undefined, '/index.php'])(
    'a script that runs is a file below the root (front controller: %s)',
    (frontController) => {
      const gate = new Site(readOptions({ root: site.root, frontController }));
      let ran = 0;
      fc.assert(
        fc.property(url, (given) => {
          const plan = gate.plan({ method: 'GET', url: given, originalUrl: given });
          if (plan.kind === 'redirect') {
            const landed = new URL(plan.location, 'http://site.example/');
            expect(landed.host).toBe('site.example');
            if (plan.statusCode === 301) expect(landed.pathname).toMatch(/\/$/);
            // a plain form has no plainer one: nobody is sent in a circle
            const next = gate.plan({ method: 'GET', url: plan.location, originalUrl: plan.location });
            expect(next.kind === 'redirect' && next.statusCode === 308).toBe(false);
          }
          if (plan.kind !== 'run') return;
          ran++;
          const file = join(site.root, plan.script.scriptName);
          expect(statSync(file).isFile()).toBe(true);
          expect(realpathSync(file).startsWith(`${realpathSync(site.root)}/`)).toBe(true);
          expect(file).toMatch(/\.php$/);
          expect(file).not.toContain('/.git/');
          const params = gate.params({ method: 'GET', url: given, headers: [] }, plan, undefined);
          for (const value of Object.values(params)) {
            expect(Buffer.from(value).every((byte) => byte >= 0x20 && byte !== 0x7f)).toBe(true);
          }
        }),
        { numRuns: 3000 },
      );
      // or the law would say nothing
      expect(ran).toBeGreaterThan(30);
    },
  );
});

describe('whatever PHP answers', () => {
  const name = fc.oneof(
    fc.constantFrom(
      'Content-Length',
      'content-length',
      'Transfer-Encoding',
      'Connection',
      'Upgrade',
      'Set-Cookie',
      'X',
    ),
    fc.string({ maxLength: 5 }),
  );
  const value = fc.oneof(
    fc.constantFrom('5', '6', 'chunked', 'close', 'content-length', 'set-cookie, x', '5\r\nX: y', '\0'),
    fc.string({ maxLength: 8, unit: 'binary' }).map((text) => Buffer.from(text).toString('latin1')),
  );

  it('its head frames the body in one way only, and no value breaks a line', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (headers) => {
        const head = replyHead('GET', 200, '', headers.flat());
        const sent = head.fields.filter((_, at) => at % 2 === 0).map((field) => field.toLowerCase());
        expect(sent.filter((field) => field === 'content-length').length).toBe(
          head.contentLength === null ? 0 : 1,
        );
        expect(sent).not.toContain('transfer-encoding');
        expect(sent).not.toContain('connection');
        for (const field of head.fields) expect(field).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
        for (const field of sent) expect(field).toMatch(/^[!#-'*+.^_`|~0-9a-z-]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});
