/** The gateway before a real PHP-FPM: what a script sees, and what a client gets, through every adapter. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { type Fpm, startFpm } from '../fpm/support/fpm.ts';
import { type Ask, adapters, type Client } from './adapters.ts';

let fpm: Fpm;
let pool: Pool;

beforeAll(async () => {
  fpm = await startFpm({
    maxChildren: 4,
    phpIni: { post_max_size: '64M', upload_max_filesize: '64M', output_buffering: 0 },
    files: {
      'index.php': '<?php echo "home";',
      'server.php':
        '<?php header("Content-Type: application/json"); echo json_encode(array_map("bin2hex", $_SERVER));',
      'body.php':
        '<?php echo $_SERVER["CONTENT_LENGTH"] ?? "none", " ", hash("sha256", file_get_contents("php://input"));',
      'form.php':
        '<?php echo json_encode([$_GET, $_POST, $_COOKIE, array_map(fn($f) => [$f["name"], $f["size"], md5_file($f["tmp_name"])], $_FILES)]);',
      'cookies.php': '<?php setcookie("a", "1"); setcookie("b", "2"); header("Location: /x", true, 303);',
      'status.php':
        '<?php header("HTTP/1.1 418 Tea Pot"); header("X-A: \\xe9", false); header("X-A: 2", false);',
      'hop.php':
        '<?php header("Connection: X-Hop, x-other"); header("X-Hop: 1"); header("X-Other: 2"); header("X-End: 3"); header("Content-Type:"); echo "page";',
      'big.php': '<?php for ($i = 0; $i < 64; $i++) echo str_repeat(chr(65 + $i % 26), 262144);',
      'stderr.php': '<?php fwrite(fopen("php://stderr", "w"), ""); error_log("noted"); echo "page";',
      'fatal.php': '<?php header("Content-Length: 1000"); echo "half"; flush(); posix_kill(getmypid(), 9);',
      'short.php': '<?php header("Content-Length: 1000"); echo "short";',
      'wait.php':
        '<?php ignore_user_abort(false); for ($i = 0; $i < 500; $i++) { echo str_repeat(".", 8192); flush(); usleep(20000); } touch(__DIR__ . "/finished");',
      'bytes.php':
        '<?php header("Content-Type: application/octet-stream"); for ($i = 0; $i < 256; $i++) echo chr($i);',
      'uploads/evil.jpg': '<?php echo "owned";',
    },
  });
  pool = new Pool(fpm.address, { connections: 4 });
});

afterAll(async () => {
  await pool?.destroy();
  await fpm?.stop();
});

describe.each(adapters)('PHP through $name', (adapter) => {
  let client: Client;
  const errors: unknown[] = [];
  const stderr: string[] = [];

  beforeAll(async () => {
    client = await adapter.serve(pool, {
      root: fpm.root,
      onError: (error: unknown) => void errors.push(error),
      onStderr: (chunk: Uint8Array) => void stderr.push(Buffer.from(chunk).toString()),
      spoolMemory: 10_000,
    });
  });
  afterAll(() => client?.close());

  async function ask(
    given: Ask | string,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }> {
    const { status, headers, body } = await client.open(typeof given === 'string' ? { path: given } : given);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return { status, headers, body: Buffer.concat(chunks) };
  }

  it('$_SERVER holds what the request said, byte for byte', async () => {
    const got = await ask({
      path: '/server.php/a%ff%20b?q=%41',
      headers: { 'X-B': 'caf\xe9', authorization: 'Basic eDp5' },
    });
    const hex: Record<string, string> = JSON.parse(got.body.toString());
    const server = Object.fromEntries(
      Object.entries(hex).map(([name, value]) => [name, Buffer.from(value, 'hex').toString('latin1')]),
    );
    expect(server).toMatchObject({
      SCRIPT_FILENAME: `${fpm.root}/server.php`,
      SCRIPT_NAME: '/server.php',
      PATH_INFO: '/a\xff b',
      PHP_SELF: '/server.php/a\xff b',
      REQUEST_URI: '/server.php/a%ff%20b?q=%41',
      QUERY_STRING: 'q=%41',
      REQUEST_METHOD: 'GET',
      HTTP_X_B: 'caf\xe9',
      HTTP_AUTHORIZATION: 'Basic eDp5',
      PHP_AUTH_USER: 'x',
      GATEWAY_INTERFACE: 'CGI/1.1',
      REQUEST_SCHEME: adapter.scheme,
    });
  });

  it('a form with an upload arrives whole', async () => {
    const file = randomBytes(3_000_000);
    const border = 'border';
    const body = Buffer.concat([
      Buffer.from(`--${border}\r\nContent-Disposition: form-data; name="x"\r\n\r\ny z\r\n`),
      Buffer.from(`--${border}\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n`),
      file,
      Buffer.from(`\r\n--${border}--\r\n`),
    ]);
    const got = await ask({
      path: '/form.php?g=1',
      method: 'POST',
      headers: { 'Content-Type': `multipart/form-data; boundary=${border}`, Cookie: 'c=d' },
      body,
    });
    const md5 = createHash('md5').update(file).digest('hex');
    expect(JSON.parse(got.body.toString())).toEqual([
      { g: '1' },
      { x: 'y z' },
      { c: 'd' },
      { f: ['a.bin', file.length, md5] },
    ]);
  });

  it.each([0, 1, 9_999, 10_001, 65_536, 1_000_003])(
    'a body of %i bytes of unknown length arrives counted and whole',
    async (size) => {
      const body = randomBytes(size);
      const got = await ask({
        path: '/body.php',
        method: 'PUT',
        body: [body.subarray(0, size >> 1), body.subarray(size >> 1)],
      });
      expect(got.body.toString()).toBe(`${size} ${createHash('sha256').update(body).digest('hex')}`);
    },
  );

  it('headers that Connection names stay here, and a page may have no type', async () => {
    const { headers, body } = await ask('/hop.php');
    expect(headers).toMatchObject({ 'x-end': '3' });
    for (const name of ['x-hop', 'x-other']) expect(headers[name]).toBeUndefined();
    expect(headers['content-type'] === undefined).toBe(adapter.typeless);
    expect(body.toString()).toBe('page');
  });

  it('status, phrase, cookies and repeated headers come out as PHP set them', async () => {
    const cookies = await ask('/cookies.php');
    expect(cookies.status).toBe(303);
    expect(cookies.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(cookies.headers['location']).toBe('/x');
    const tea = await ask('/status.php');
    expect(tea.status).toBe(418);
    expect(tea.headers['x-a']).toBe(adapter.latin1Heads ? '\xe9, 2' : '\xc3\xa9, 2');
  });

  it('all 256 bytes and 16 MiB come through unchanged', async () => {
    expect((await ask('/bytes.php')).body).toEqual(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    const { body } = await ask('/big.php');
    const whole = Buffer.concat(Array.from({ length: 64 }, (_, i) => Buffer.alloc(262_144, 65 + (i % 26))));
    expect(body.equals(whole)).toBe(true);
  });

  it('HEAD runs the script and has its headers', async () => {
    const got = await ask({ path: '/status.php', method: 'HEAD' });
    expect(got).toMatchObject({ status: 418, body: Buffer.alloc(0) });
  });

  it('what PHP logs reaches onStderr and not the page', async () => {
    stderr.length = 0;
    expect((await ask('/stderr.php')).body.toString()).toBe('page');
    expect(stderr.join('')).toContain('noted');
  });

  it('a worker that dies in the middle of a page leaves no whole page behind', async () => {
    errors.length = 0;
    await expect(ask('/fatal.php')).rejects.toThrow();
    expect(errors).toHaveLength(1);
  });

  it('a page shorter than its Content-Length is no whole page', async () => {
    const status = await ask('/short.php').then(
      (got) => got.status,
      () => 'broken off',
    );
    expect(status).toBeOneOf([502, 'broken off']);
  });

  it.each([
    '/uploads/evil.jpg',
    '/uploads/evil.jpg/x.php',
    '/uploads/evil.jpg%2fx.php',
    '/uploads/evil.jpg%00.php',
  ])('%s does not run the picture', async (path) => {
    const got = await ask(path);
    expect(got.status).toBeOneOf([400, 404]);
    expect(got.body.toString()).not.toContain('owned');
  });

  it('a client that leaves in the middle frees the worker', async () => {
    const opened = await client.open({ path: '/wait.php' });
    opened.body.on('error', () => {});
    opened.leave();
    await expect.poll(() => pool.stats.busy).toBe(0);
  });
});

it('the pool kept its connections all the while', () => {
  expect(pool.stats.served).toBeGreaterThan(40);
  expect(pool.stats.connected).toBeLessThanOrEqual(4);
});
