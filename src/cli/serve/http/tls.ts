/** The certificate of HTTPS: from files, or made for this machine. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { TlsFiles } from '../../args/serve.ts';
import { reasonOf } from '../../text.ts';
import { UsageError } from '../../usage-error.ts';

/** PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** `warn` is told of one that clients will refuse, which is no reason not to serve. */
export async function certificate(
  tls: TlsFiles | 'localhost',
  cwd: string,
  warn: (line: string) => void,
): Promise<Certificate> {
  return tls === 'localhost' ? await selfSigned() : await fromFiles(tls, cwd, warn);
}

async function fromFiles(files: TlsFiles, cwd: string, warn: (line: string) => void): Promise<Certificate> {
  const read = (option: string, path: string): Promise<string> => {
    return readFile(resolve(cwd, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${option} '${path}' cannot be read: ${error.code ?? error.message}`);
    });
  };
  // one by one: where both cannot be read, the same one is always named
  const cert = await read('--tls-cert', files.cert);
  const key = await read('--tls-key', files.key);
  // they take a while to load, and few need them
  const [{ createSecureContext }, { createPrivateKey, X509Certificate }] = await Promise.all([
    import('node:tls'),
    import('node:crypto'),
  ]);
  const parsed = <T>(problem: string, parse: () => T): T => {
    try {
      return parse();
    } catch (error) {
      throw new UsageError(`${problem}: ${reasonOf(error)}`);
    }
  };
  const together = '--tls-cert and --tls-key cannot be used together';
  if (/ENCRYPTED/.test(key)) {
    throw new UsageError(
      `--tls-key '${files.key}' has a passphrase: one without is needed (openssl pkey -in FILE -out NEW)`,
    );
  }
  const privateKey = parsed(`--tls-key '${files.key}' is no private key`, () => createPrivateKey(key));
  const certificate = parsed(`--tls-cert '${files.cert}' is no certificate`, () => new X509Certificate(cert));
  parsed(together, () => createSecureContext({ cert, key }));
  // OpenSSL takes a key of another kind for that of a certificate to come
  if (!certificate.checkPrivateKey(privateKey)) throw new UsageError(`${together}: it is another's key`);
  const { validFrom, validTo } = certificate;
  if (Date.now() > Date.parse(validTo))
    warn(`--tls-cert '${files.cert}' has expired: it was valid until ${validTo}`);
  else if (Date.now() < Date.parse(validFrom))
    warn(`--tls-cert '${files.cert}' is not valid before ${validFrom}`);
  return { cert, key };
}

/** Browsers take no certificate for longer than this. */
const DAYS = 397;

/** Nobody trusts it but who is told to; it is for a developer's own machine. */
async function selfSigned(): Promise<Certificate> {
  const { generate } = await import('selfsigned').catch((error: unknown) => {
    throw new UsageError(
      `--tls needs the npm package selfsigned (npm install selfsigned): ${reasonOf(error)}`,
    );
  });
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    notAfterDate: new Date(Date.now() + DAYS * 24 * 60 * 60 * 1000),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: '*.localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { cert, key };
}
