/** What is sent: each request carries its number twice, in the query and in the body, and PHP must say both. */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const SHAPES = ['form', 'json', 'put', 'get', 'upload'] as const;
/** 'large': a POST of which PHP writes a part to its disk. */
export type Shape = (typeof SHAPES)[number] | 'large';

export interface Message {
  readonly method: string;
  readonly contentType: string | null;
  readonly body: Buffer | null;
  /** What the script answers if it got all of this, and nothing of another request. */
  readonly expected: string;
}

interface Filling {
  readonly bytes: Buffer;
  readonly sum: string;
}

const KIB = 1024;
const BOUNDARY = 'storm-6b1f0c';

// Up to what PHP reads before it starts a script (16 KiB): of a longer one nobody can prove that it was not run.
const texts: readonly Filling[] = [0, 7, 300, 5_000, 15_000].map((size) =>
  filling(Buffer.from(randomBytes(size).toString('hex').slice(0, size))),
);

const large: readonly Filling[] = [17_000, 60_000, 200_000].map((size) => filling(Buffer.alloc(size, 'x')));

// With the form around it the first is longer than the pool's replay buffer, the second is not.
const files: readonly Filling[] = [KIB * KIB, KIB * (KIB - 1)].map((size) => filling(randomBytes(size)));

/** The request with this number. */
export function messageOf(shape: Shape, id: number): Message {
  if (shape === 'get') {
    return { method: 'GET', contentType: null, body: null, expected: `${id} ${id} 0 00000000` };
  }
  const choice = shape === 'upload' ? files : shape === 'large' ? large : texts;
  const { bytes, sum } = choice[id % choice.length] ?? filling(Buffer.alloc(0));
  return {
    method: shape === 'put' ? 'PUT' : 'POST',
    contentType: contentTypes[shape],
    body: bodies[shape](id, bytes),
    expected: `${id} ${id} ${bytes.length} ${sum}`,
  };
}

const contentTypes: Readonly<Record<Exclude<Shape, 'get'>, string>> = {
  form: 'application/x-www-form-urlencoded',
  json: 'application/json',
  large: 'application/json',
  put: 'application/json',
  upload: `multipart/form-data; boundary=${BOUNDARY}`,
};

const json = (id: number, bytes: Buffer): Buffer =>
  Buffer.from(JSON.stringify({ id, text: bytes.toString('latin1') }));

const bodies: Readonly<Record<Exclude<Shape, 'get'>, (id: number, bytes: Buffer) => Buffer>> = {
  form: (id, bytes) => Buffer.from(`id=${id}&text=${bytes.toString('latin1')}`),
  json,
  large: json,
  put: json,
  upload: (id, bytes) =>
    Buffer.concat([
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="id"\r\n\r\n${id}\r\n--${BOUNDARY}\r\n` +
          'Content-Disposition: form-data; name="file"; filename="f"\r\nContent-Type: application/octet-stream\r\n\r\n',
      ),
      bytes,
      Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
    ]),
};

function filling(bytes: Buffer): Filling {
  return { bytes, sum: crc32(bytes).toString(16).padStart(8, '0') };
}
