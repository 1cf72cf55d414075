import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { answer, ended, PUT, rawServer } from './support.ts';

const KIB = 1024;

describe('a stream, and a server that resets the connection in the middle of it', () => {
  it.each<[string, number, 'unexecuted' | 'idempotent', number]>([
    ['that fits into replayBuffer and may run twice is sent again whole', 300, 'idempotent', 2],
    ['that does not fails, and no server gets the rest of it', 700, 'idempotent', 1],
    ['that may not run twice fails', 300, 'unexecuted', 1],
  ])('%s', async (_, middle, retry, attempts) => {
    const received: Buffer[][] = [];
    await using server = await rawServer((socket, nth) => {
      const chunks: Buffer[] = [];
      received.push(chunks);
      let length = 0;
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (nth === 1 && length > 400 * KIB) socket.resetAndDestroy();
        else if (stdinOf(chunks).length === total) socket.write(answer());
      });
    }, 'tcp');
    const pieces = [512, middle, 100].map((kib, i) => Buffer.alloc(kib * KIB, 97 + i));
    const total = pieces.reduce((sum, { length }) => sum + length, 0);
    async function* source(): AsyncGenerator<Buffer> {
      for (const piece of pieces) {
        await new Promise((resolve) => setTimeout(resolve, 6));
        yield piece;
      }
    }
    await using pool = new Pool(server.address, { retry, backend: 'generic' });
    const sent = ended(pool, { params: { ...PUT, CONTENT_LENGTH: String(total) }, body: source() });
    if (attempts === 2) {
      expect(await sent).toMatchObject({ attempts });
      expect(Buffer.concat(pieces).equals(stdinOf(received[1] ?? []))).toBe(true);
    } else {
      await expect(sent).rejects.toMatchObject({ executed: 'unknown', attempts });
      expect(received).toHaveLength(1);
    }
  });
});

/** What the STDIN records hold that have come whole. */
function stdinOf(chunks: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(chunks);
  const stdin: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt16BE(at + 4);
    if (end > bytes.length) break;
    if (bytes[at + 1] === 5) stdin.push(bytes.subarray(at + 8, end));
    at = end + (bytes[at + 6] ?? 0);
  }
  return Buffer.concat(stdin);
}
