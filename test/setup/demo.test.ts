/** `npm run demo`: its pages, as a browser asks for them, and what its terminal says. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../fpm/support/child.ts';

let demo: Child;
let url: string;

beforeAll(async () => {
  demo = await Child.start({
    command: process.execPath,
    args: [fileURLToPath(new URL('demo.mjs', import.meta.url)), '--listen', '127.0.0.1:0'],
    ready: /^http:\/\/127\.0\.0\.1:\d+$/m,
  });
  url = /^http:\/\/127\.0\.0\.1:\d+$/m.exec(demo.log)?.[0] ?? '';
}, 120_000);

afterAll(() => demo?.stop());

async function page(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; text: string; cookie: string }> {
  const response = await fetch(url + path, { redirect: 'manual', ...init });
  const cookie = response.headers.getSetCookie().map((one) => one.split(';', 1)[0]);
  return { status: response.status, text: await response.text(), cookie: cookie.join('; ') };
}

/** What a visitor sends by the form of a page. */
async function send(path: string, fields: Record<string, string>): Promise<{ status: number; text: string }> {
  const form = await page(path);
  const token = /name="token" value="([^"]+)"/.exec(form.text)?.[1] ?? '';
  return page(path, {
    method: 'POST',
    headers: { cookie: form.cookie },
    body: new URLSearchParams({ token, ...fields }),
  });
}

describe('the demo', () => {
  it('has pages behind all of its links, and PHP complains of none', async () => {
    const home = await page('/');
    const links = new Set([...home.text.matchAll(/href="(\/[^"#]*)"/g)].map(([, path]) => path ?? ''));
    expect(links.size).toBeGreaterThan(12);
    for (const path of links) {
      const { status, text } = await page(path.replaceAll('&amp;', '&'));
      expect({ path, status }).toEqual({ path, status: path === '/no/such/page' ? 404 : 200 });
      expect(text).not.toMatch(/(?:Warning|Notice|Fatal error|Deprecated):/);
    }
  });

  it('sends its files whole, in part, or not again', async () => {
    const whole = await fetch(`${url}/assets/site.css`);
    const text = await whole.text();
    const etag = whole.headers.get('etag') ?? '';
    const part = await fetch(`${url}/assets/site.css`, { headers: { range: 'bytes=0-99' } });
    expect([part.status, await part.text()]).toEqual([206, text.slice(0, 100)]);
    const again = await fetch(`${url}/assets/site.css`, {
      headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' },
    });
    expect(again.status).toBe(304);
  });

  it('keeps the copy of a script to itself', async () => {
    const { status, text } = await page('/index.php.bak');
    expect(status).toBe(404);
    expect(text).not.toContain('password');
  });

  it('answers quick pages while a slow one runs', async () => {
    const ended: string[] = [];
    const slow = page('/slow.php?json&ms=1000').then(() => ended.push('slow'));
    await page('/slow.php?json').then(() => ended.push('quick'));
    await slow;
    expect(ended).toEqual(['quick', 'slow']);
  });

  it.each([
    ['line', 200, /^PHP: The demo says hello \(POST \/log\.php\)$/m],
    ['warning', 200, /^PHP warning: The demo warns at \S+log\.php:\d+ \(POST \/log\.php\)$/m],
    [
      'exception',
      500,
      /^PHP fatal error: Uncaught RuntimeException: The demo gave up at \S+log\.php:\d+ \(POST \/log\.php\)$/m,
    ],
  ])('shows %s of PHP in its terminal, with the request', async (kind, status, said) => {
    const answer = await send('/log.php', { kind });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('see the terminal');
    await expect.poll(() => demo.log).toMatch(said);
  });

  it('writes nothing for a form of another site', async () => {
    const { status } = await page('/log.php', {
      method: 'POST',
      body: new URLSearchParams({ kind: 'line' }),
    });
    expect(status).toBe(403);
  });
});
