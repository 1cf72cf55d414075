/** `serve --compress`: pages and files, and events that must not wait. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
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

async function asked(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const [response] = await once(get(url, { headers }), 'response');
  return response;
}

it('what is compressed on the way is not byte for byte what its ETag stands for: the tag is a weak one', async () => {
  site.put('index.php', '<?php header("ETag: \\"php\\""); echo str_repeat("hello ", 1000);');
  site.put('weak.php', '<?php header("ETag: W/\\"weak\\""); echo str_repeat("hello ", 1000);');
  site.put(
    'own.php',
    '<?php header("ETag: \\"own\\""); header("Content-Encoding: gzip"); echo gzencode(random_bytes(5000));',
  );
  site.put('a.css', 'hello '.repeat(1000));
  await using served = await serve(site.path, ['--compress']);
  const tag = async (path: string, accepted: string): Promise<string | undefined> => {
    const response = await asked(served.url + path, { 'accept-encoding': accepted });
    expect((await buffer(response)).length).toBeGreaterThan(0);
    return response.headers.etag;
  };
  expect(await tag('/', 'identity')).toBe('"php"');
  expect(await tag('/', 'gzip')).toBe('W/"php"');
  expect(await tag('/weak.php', 'gzip')).toBe('W/"weak"');
  // PHP's own encoding, and its own tag for it
  expect(await tag('/own.php', 'gzip')).toBe('"own"');
  // the tags of files are weak ones
  expect(await tag('/a.css', 'br')).toBe(await tag('/a.css', 'identity'));

  // nobody can go on in the middle of it
  const whole = await asked(`${served.url}/a.css`, { 'accept-encoding': 'br' });
  expect(whole.headers['accept-ranges']).toBeUndefined();
});

it('a part is sent as it is: its place is one in the file, not in what became of it', async () => {
  const text = Array.from({ length: 2000 }, (_, i) => `${i} `).join('');
  site.put('a.css', text);
  site.put(
    'part.php',
    '<?php http_response_code(206); header("Content-Range: bytes 0-4999/9000"); echo str_repeat("a", 5000);',
  );
  await using served = await serve(site.path, ['--compress']);
  const range = { 'accept-encoding': 'gzip', range: 'bytes=100-4099' };
  const file = await asked(`${served.url}/a.css`, range);
  expect([file.statusCode, file.headers['content-encoding']]).toEqual([206, undefined]);
  expect((await buffer(file)).toString()).toBe(text.slice(100, 4100));
  const php = await asked(`${served.url}/part.php`, range);
  expect([php.statusCode, php.headers['content-encoding']]).toEqual([206, undefined]);
  expect((await buffer(php)).length).toBe(5000);
});
