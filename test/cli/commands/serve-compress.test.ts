/** `serve --compress`: pages and files, and events that must not wait. */
import { once } from 'node:events';
import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serve } from '../support/serving.ts';
import { SiteFolder } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

it('pages and files are sent as gzip or brotli to those who accept it, pictures as they are', async () => {
  const long = 'hello '.repeat(1000);
  site.put('index.php', `<?php echo "${long}";`);
  site.put('a.css', long);
  site.put('a.png', long);
  await using served = await serve(site.path, ['--compress']);
  for (const [path, accepted, encoding, decode] of [
    ['/', 'gzip', 'gzip', gunzipSync],
    ['/a.css', 'gzip', 'gzip', gunzipSync],
    ['/', 'br', 'br', brotliDecompressSync],
    ['/a.css', 'br', 'br', brotliDecompressSync],
    ['/', 'identity', undefined, (bytes: Buffer) => bytes],
    ['/a.png', 'gzip', undefined, (bytes: Buffer) => bytes],
  ] as const) {
    const asked = get(served.url + path, { headers: { 'accept-encoding': accepted } });
    const [response] = await once(asked, 'response');
    expect([path, response.headers['content-encoding']]).toEqual([path, encoding]);
    expect(decode(await buffer(response)).toString()).toBe(long);
  }
});

it('each event of a stream comes when it is sent', async () => {
  site.put(
    'events.php',
    '<?php header("Content-Type: text/event-stream"); while (ob_get_level()) ob_end_flush();' +
      'echo "data: first\\n\\n"; flush(); for ($i = 0; $i < 600 && !file_exists("go"); $i++) { usleep(50000); clearstatcache(); } echo "data: second\\n\\n";',
  );
  await using served = await serve(site.path, ['--compress']);
  const asked = get(`${served.url}/events.php`, { headers: { 'accept-encoding': 'gzip' } });
  const [response] = await once(asked, 'response');
  expect(response.headers['content-encoding']).toBe('gzip');
  const events = response.pipe(createGunzip()).setEncoding('utf8');
  // the second is sent only when the first is here
  const [first] = await once(events, 'data');
  expect(first).toBe('data: first\n\n');
  site.put('go', '');
  const [second] = await once(events, 'data');
  expect(second).toBe('data: second\n\n');
});
