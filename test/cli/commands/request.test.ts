import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/main.ts';
import { type Fpm, startFpm } from '../../fpm/support/fpm.ts';
import { within } from '../../fpm/support/wait.ts';
import { FakeIo } from '../support/io.ts';

const echo = `<?php
  header('X-Seen: a: b');
  echo json_encode(['server' => $_SERVER, 'get' => $_GET, 'post' => $_POST, 'body' => file_get_contents('php://input')]);`;

let fpm: Fpm;
beforeAll(async () => {
  fpm = await startFpm({
    phpIni: { log_errors: true, error_reporting: 'E_ALL' },
    files: {
      'echo.php': echo,
      'out/binary.php': '<?php echo file_get_contents("php://input");',
      'gone.php': '<?php http_response_code(410); echo "gone";',
      'stderr.php': '<?php error_log("a\\x1b[2Jb"); echo "fine";',
      'slow.php': '<?php sleep(20);',
      'big.php': '<?php for ($i = 0; $i < 400; $i++) echo str_repeat("x", 10000);',
      'a b#c.php': '<?php echo $_SERVER["SCRIPT_NAME"];',
    },
  });
});
afterAll(() => fpm?.stop());

interface Outcome {
  readonly status: number;
  readonly io: FakeIo;
}

async function request(args: readonly string[], stdin: readonly string[] = []): Promise<Outcome> {
  const io = new FakeIo(fpm.root, stdin);
  return { status: await run(['request', fpm.address, ...args], io), io };
}

interface Echo {
  readonly server: Readonly<Record<string, string>>;
  readonly get: unknown;
  readonly post: unknown;
  readonly body: string;
}

async function echoed(args: readonly string[], stdin: readonly string[] = []): Promise<Echo> {
  const { status, io } = await request(['echo.php', ...args], stdin);
  expect([status, io.err]).toEqual([0, '']);
  return JSON.parse(io.out) as Echo;
}

describe('what PHP sees', () => {
  it('of a plain request', async () => {
    const { server, body } = await echoed([]);
    expect(server).toMatchObject({
      SCRIPT_FILENAME: join(fpm.root, 'echo.php'),
      SCRIPT_NAME: '/echo.php',
      REQUEST_URI: '/echo.php',
      DOCUMENT_ROOT: fpm.root,
      REQUEST_METHOD: 'GET',
      REMOTE_ADDR: '127.0.0.1',
      HTTP_HOST: 'localhost',
    });
    expect(server).not.toHaveProperty('PATH_INFO');
    expect(body).toBe('');
  });

  it('is the same script by its absolute path, on another folder, with a query', async () => {
    const io = new FakeIo('/');
    expect(await run(['request', fpm.address, `${join(fpm.root, 'echo.php')}?a=1&b[]=2`], io)).toBe(0);
    const { get, server } = JSON.parse(io.out) as Echo;
    expect([get, server['REQUEST_URI']]).toEqual([{ a: '1', b: ['2'] }, '/echo.php?a=1&b[]=2']);
  });

  it('of headers and params: params win', async () => {
    const { server } = await echoed([
      '-X',
      'PURGE',
      '-H',
      'X-One: 1',
      '-H',
      'Host: example.org:81',
      '-H',
      'X-Two: gr\u00fcn',
      '-p',
      'REMOTE_USER=me',
      '-p',
      'HTTP_X_ONE=one',
      '-p',
      'QUERY_STRING=q=1',
    ]);
    expect(server).toMatchObject({
      REQUEST_METHOD: 'PURGE',
      HTTP_X_ONE: 'one',
      HTTP_HOST: 'example.org:81',
      SERVER_NAME: 'example.org',
      HTTP_X_TWO: 'gr\u00fcn',
      REMOTE_USER: 'me',
      QUERY_STRING: 'q=1',
    });
  });

  it('of a form', async () => {
    const { server, post } = await echoed(['-d', 'a=1&b=\u00fc']);
    expect([server['REQUEST_METHOD'], server['CONTENT_LENGTH'], post]).toEqual([
      'POST',
      '8',
      { a: '1', b: '\u00fc' },
    ]);
  });

  it('of a body with a type of its own, from a file and from stdin', async () => {
    writeFileSync(join(fpm.root, 'body.json'), '{"a":1}');
    const fromFile = await echoed(['-X', 'PUT', '-H', 'Content-Type: application/json', '-d', '@body.json']);
    expect([fromFile.body, fromFile.server['CONTENT_TYPE'], fromFile.post]).toEqual([
      '{"a":1}',
      'application/json',
      [],
    ]);
    const fromStdin = await echoed(['-d', '@-'], ['x=', '1']);
    expect([fromStdin.body, fromStdin.post]).toEqual(['x=1', { x: '1' }]);
    expect((await echoed(['-d', '@-'])).server['CONTENT_LENGTH']).toBe('0');
  });

  it('of a body whose length no file tells: a pipe, as the shell gives for <(command), a file of /proc, a device', async () => {
    const pipe = join(fpm.root, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [fromPipe] = await Promise.all([echoed(['-d', '@pipe']), writeFile(pipe, 'x=1')]);
    expect([fromPipe.server['CONTENT_LENGTH'], fromPipe.post]).toEqual(['3', { x: '1' }]);
    expect((await echoed(['-d', '@/proc/version'])).body).toBe(readFileSync('/proc/version', 'utf8'));
    expect((await echoed(['-d', '@/dev/null'])).server['CONTENT_LENGTH']).toBe('0');
  });

  it('of a script with a strange name', async () => {
    const { io } = await request(['a b#c.php']);
    expect(io.out).toBe('/a b#c.php');
  });
});

describe('what comes out', () => {
  it('is the body, byte by byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256));
    writeFileSync(join(fpm.root, 'bytes'), bytes);
    const { io } = await request([
      'out/binary.php',
      '-d',
      '@bytes',
      '-H',
      'Content-Type: application/octet-stream',
    ]);
    expect(io.bytes.equals(bytes)).toBe(true);
  });

  it('with -i begins with the head, as PHP-FPM sends it', async () => {
    const { io } = await request(['gone.php', '-i']);
    expect(io.out).toMatch(/^Status: 410 Gone\n/);
    expect(io.out).toMatch(/\n\ngone$/);
    expect((await request(['echo.php', '-i'])).io.out).toMatch(/^Status: 200\b.*\n(.*\n)*X-Seen: a: b\n/);
  });

  it("of PHP's errors goes to stderr, and cannot steer the terminal", async () => {
    const { status, io } = await request(['stderr.php']);
    expect([status, io.out, io.err]).toEqual([0, 'fine', 'PHP message: a\\x1b[2Jb\n']);
  });

  it('is 1 for a status of 400 and more with --fail, else 0', async () => {
    expect((await request(['gone.php'])).status).toBe(0);
    const failed = await request(['gone.php', '-f']);
    expect([failed.status, failed.io.out]).toEqual([1, 'gone']);
    expect((await request(['echo.php', '-f'])).status).toBe(0);
  });

  it('may be more than the reader wants', async () => {
    const io = new FakeIo(fpm.root);
    const stdout = new PassThrough();
    stdout.once('data', () => stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })));
    stdout.on('error', () => {});
    io.stdout = stdout;
    const outcome = run(['request', fpm.address, 'big.php'], io);
    expect(await within(outcome, 4000, 'the end')).toBe(0);
    expect(io.err).toBe('');
  });
});

describe('what fails', () => {
  it('no script: the 404 of PHP-FPM, its reason, and which file it was', async () => {
    const { status, io } = await request(['missing.php']);
    expect([status, io.out]).toEqual([0, 'File not found.\n']);
    const [reason, hint, ...more] = io.err.split('\n');
    expect(reason).toBe('Primary script unknown');
    expect(hint).toContain(join(fpm.root, 'missing.php'));
    expect(more).toEqual(['']);
  });

  it('no answer in time', async () => {
    const { status, io } = await request(['slow.php', '--timeout', '0.1']);
    expect([status, io.out]).toEqual([1, '']);
    expect(io.err).toBe(`fastcgi-pool: request: ${fpm.address} did not answer within 0.1 s\n`);
  });

  it('nobody there in time: why, also where that is before a connection is given up', async () => {
    const io = new FakeIo('/');
    expect(await run(['ping', 'unix:/nonexistent/fpm.sock', '--timeout', '0.2'], io)).toBe(1);
    expect(io.err).toMatch(
      /^fastcgi-pool: ping: unix:\/nonexistent\/fpm\.sock did not answer within 0\.2 s \(there is no such socket: .*\)\n$/,
    );
  });

  it('nobody there', async () => {
    const io = new FakeIo('/');
    expect(await run(['request', 'unix:/nowhere/fpm.sock', '/a.php'], io)).toBe(1);
    expect(io.err).toMatch(/^fastcgi-pool: request: .*unix:\/nowhere\/fpm\.sock.*\(.*\)\n$/);
  });

  it.each([
    ['@nothing', /--data @nothing: ENOENT/],
    ['@.', /--data @\. is not a file/],
  ])('a body from %s', async (data, why) => {
    const { status, io } = await request(['echo.php', '-d', data]);
    expect(status).toBe(2);
    expect(io.err).toMatch(why);
    expect(io.err.split('\n')).toHaveLength(2);
  });

  it('a param that cannot be sent', async () => {
    const { status, io } = await request(['echo.php', '-p', `X=${'x'.repeat(70_000)}`]);
    expect(status).toBe(2);
    expect(io.err).toMatch(/^fastcgi-pool: request: .*X/);
  });
});
