/** `serve` by HTTPS: HTTP/2 and HTTP/1.1, certificates that are made, given and renewed. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import { generate, type SelfsignedOptions } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor, within } from '../../fpm/support/wait.ts';
import { type Serving, serve, serveInVain } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
  site.put(
    'index.php',
    '<?php echo $_SERVER["SERVER_PROTOCOL"], " ", $_SERVER["HTTPS"] ?? "-", " ", $_SERVER["HTTP_HOST"], " ", file_get_contents("php://input");',
  );
  site.put('big.css', 'a{}'.repeat(50_000));
});
afterEach(() => site.remove());

/** At a free port by HTTPS, and at another one by HTTP. */
async function serveBoth(args: readonly string[]): Promise<Serving & { secure: string }> {
  const served = await serve(site.path, ['--listen', 'http://127.0.0.1:0', ...args]);
  const secure = await served.io.said(/https:\/\/\S+(?=\n)/);
  return Object.assign(served, { secure });
}

async function http1(url: string): Promise<string> {
  const asked = request(url, { rejectUnauthorized: false, agent: false }).end();
  const [response] = await once(asked, 'response');
  return textOf(response);
}

async function http2(session: ClientHttp2Session, path: string, body = ''): Promise<string> {
  const stream = session.request({ ':path': path, ':method': body === '' ? 'GET' : 'POST' });
  if (body !== '') stream.end(body);
  return textOf(stream.setEncoding('utf8'));
}

async function peer(url: string): Promise<PeerCertificate> {
  const socket = connectTls({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const seen = socket.getPeerCertificate();
  socket.destroy();
  return seen;
}

async function files(name: string, dates: SelfsignedOptions = {}): Promise<string[]> {
  const options: SelfsignedOptions = { keyType: 'ec', ...dates };
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], options);
  writeFileSync(join(site.parent, 'cert.pem'), cert);
  writeFileSync(join(site.parent, 'key.pem'), key);
  return ['--tls-cert', '../cert.pem', '--tls-key', '../key.pem'];
}

describe('--tls', () => {
  it('speaks HTTP/2 and HTTP/1.1 with a certificate for localhost, and HTTP where it is asked to', async () => {
    // serve() listens at 127.0.0.1:0 as well: with a certificate that is HTTPS
    await using served = await serveBoth(['--tls']);
    const { host } = new URL(served.secure);
    expect(await text(served.url)).toBe(`HTTP/1.1 - ${new URL(served.url).host} `);
    expect(await http1(served.secure)).toBe(`HTTP/1.1 on ${host} `);
    const session = connect(served.secure, { rejectUnauthorized: false });
    expect(await http2(session, '/', 'posted')).toBe(`HTTP/2.0 on ${host} posted`);
    expect(await http2(session, '/big.css')).toHaveLength(150_000);
    session.close();
    const { subject, subjectaltname } = await peer(served.secure);
    expect([subject.CN, subjectaltname]).toEqual([
      'localhost',
      expect.stringMatching(/DNS:localhost, .*IP Address:127\.0\.0\.1/),
    ]);
    expect(await served.stop()).toBe(0);
    const lines = served.io.out.split('\n').filter((line) => line.includes('HTTP/2.0'));
    expect(lines).toEqual([
      expect.stringMatching(/"POST \/ HTTP\/2\.0" 200 \d+ /),
      expect.stringMatching(/"GET \/big\.css HTTP\/2\.0" 200 150000 /),
    ]);
  });

  it('a request by HTTP/2 that goes on when the signal comes is answered; a silent connection is closed', async () => {
    site.put('slow.php', '<?php ob_end_flush(); echo "begun "; flush(); sleep(1); echo "ended";');
    await using served = await serveBoth(['--tls']);
    const session = connect(served.secure, { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/slow.php' }).setEncoding('utf8').end();
    const [first] = await once(stream, 'data');
    const silent = connectTls({ port: Number(new URL(served.secure).port), rejectUnauthorized: false });
    await once(silent, 'secureConnect');
    silent.on('error', () => {});
    const status = served.stop();
    expect(first + (await textOf(stream))).toBe('begun ended');
    expect(await status).toBe(0);
  });
});

describe('--tls-cert and --tls-key', () => {
  it('are read again at SIGUSR1', async () => {
    await using served = await serveBoth(await files('one.example'));
    expect((await peer(served.secure)).subject.CN).toBe('one.example');
    await files('two.example');
    served.io.reopen();
    await waitFor(async () => (await peer(served.secure)).subject.CN === 'two.example');
    // what cannot be used is said, and changes nothing
    writeFileSync(join(site.parent, 'key.pem'), 'no key');
    served.io.reopen();
    await served.io.complained(/--tls-key '..\/key.pem' is no private key/);
    expect((await peer(served.secure)).subject.CN).toBe('two.example');
  });

  it.each([
    ['has expired', { notBeforeDate: new Date('2020-01-01'), notAfterDate: new Date('2020-02-01') }],
    ['is not valid before', { notBeforeDate: new Date('2090-01-01'), notAfterDate: new Date('2090-02-01') }],
  ])('are served, and warned of, where the certificate %s', async (why, dates) => {
    await using served = await serveBoth(await files('one.example', dates));
    await served.io.complained(new RegExp(`^fastcgi-pool: --tls-cert '../cert.pem' ${why}`, 'm'));
    expect((await peer(served.secure)).subject.CN).toBe('one.example');
  });

  it('that cannot be used are named, and the status is 2', async () => {
    const given = await files('one.example');
    const cert = join(site.parent, 'cert.pem');
    const key = join(site.parent, 'key.pem');
    const good = [readFileSync(cert, 'utf8'), readFileSync(key, 'utf8')] as const;
    const locked = createPrivateKey(good[1]).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-128-cbc',
      passphrase: 'secret',
    });
    const ofAnotherKind = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const ofAnother = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    for (const [certificate, privateKey, why] of [
      [good[0], 'no key', /--tls-key '..\/key.pem' is no private key: /],
      [good[0], '', /--tls-key '..\/key.pem' is no private key: /],
      [good[0], locked, /--tls-key '..\/key.pem' has a passphrase/],
      ['', good[1], /--tls-cert '..\/cert.pem' is no certificate: /],
      [good[0].slice(0, 300), good[1], /--tls-cert '..\/cert.pem' is no certificate: /],
      [`${good[0]}\n${good[0].slice(0, 300)}`, good[1], /--tls-cert and --tls-key cannot be used together: /],
      [good[0], ofAnother, /--tls-cert and --tls-key cannot be used together: /],
      [good[0], ofAnotherKind, /--tls-cert and --tls-key cannot be used together: /],
    ] as const) {
      writeFileSync(cert, certificate);
      writeFileSync(key, privateKey);
      const { status, err } = await serveInVain(site.path, [...given, '--check']);
      expect(err).toMatch(why);
      expect(err.split('\n')).toHaveLength(2);
      expect(status).toBe(2);
    }
    expect(await serveInVain(site.path, ['--tls-cert', 'a.pem', '--tls-key', 'b.pem'])).toEqual({
      status: 2,
      err: "fastcgi-pool: serve: --tls-cert 'a.pem' cannot be read: ENOENT\n",
    });
  });
});

it('--keepalive-timeout is how long a connection of HTTP/2 is kept, too, on which nobody asks for anything', async () => {
  await using served = await serveBoth([
    '--tls',
    '--listen',
    'https://127.0.0.1:0',
    '--keepalive-timeout',
    '0.2',
  ]);
  const session = connect(served.secure, { rejectUnauthorized: false });
  expect(await http2(session, '/')).toMatch(/^HTTP\/2/);
  await within(once(session, 'close'), 5000, 'the end of the session');
});
