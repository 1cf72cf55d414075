import { generate } from 'selfsigned';

/** One for localhost, made for a test. */
export async function localhostCertificate(): Promise<{ cert: string; key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
  });
  return { cert, key };
}
