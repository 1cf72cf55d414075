/** The codec alone: 64 KiB records beside one copy of the bytes, and the params of a typical request. */
import { encodeStdin, RecordDecoder, RequestEncoder } from '../../../src/protocol/index.ts';
import { inTurns } from '../lib/measure.ts';
import { record, typicalParams } from '../lib/records.ts';
import type { Row } from '../lib/table.ts';

const CONTENT = 65_528;
const RECORDS = 16;

export async function codec(turns: number): Promise<Row[]> {
  const content = Buffer.alloc(CONTENT, 'x');
  const one = record(6, content);
  const stream = Buffer.concat(Array.from({ length: RECORDS }, () => one));
  const copy = Buffer.alloc(stream.length);
  const plain = Buffer.alloc(CONTENT * RECORDS, 'x');

  let seen = 0;
  let to = 0;
  const decoder = new RecordDecoder({
    onRecord() {},
    onContent(chunk, start, end) {
      // Handed on as a view, as the body of a response is, and copied to where it belongs.
      to += chunk.subarray(start, end).copy(copy, to);
      seen++;
    },
    onRecordEnd() {},
  });
  const encoder = new RequestEncoder();
  const request = {
    params: typicalParams('/srv/app/public'),
    keepConn: true,
    terminateFirst: true,
    stdin: null,
    terminateLast: false,
    contentLength: null,
  };
  const times = (count: number, work: () => void): void => {
    for (let i = 0; i < count; i++) work();
  };
  const streams = await inTurns(
    {
      copy: (count) => times(count, () => stream.copy(copy)),
      decode: (count) =>
        times(count, () => {
          to = 0;
          decoder.push(stream);
        }),
      encode: (count) =>
        times(count, () => {
          let at = 0;
          for (const part of encodeStdin(plain)) {
            copy.set(part, at);
            at += part.length;
          }
        }),
    },
    500,
    turns,
  );
  const params = await inTurns(
    {
      encode: (count) =>
        times(count, () => {
          encoder.encode(request);
          encoder.reclaim(encoder.memory);
        }),
    },
    100_000,
    turns,
  );
  if (seen === 0) throw new Error('nothing was decoded');
  const gigabytes = (wall: number): string => `${(stream.length / wall / 1000).toFixed(1)} GB/s`;
  return [
    ...(['decode', 'encode'] as const).map((name) => ({
      what: `${name} 64 KiB records, and copy them`,
      ours: gigabytes(streams[name].wall),
      other: `one copy ${gigabytes(streams.copy.wall)}`,
      ratio: streams[name].wall / streams.copy.wall,
      most: 1.3,
    })),
    {
      what: 'encode a request with 24 params',
      ours: `${params.encode.cpu.toFixed(2)} us`,
      other: '1.5 us',
      ratio: params.encode.cpu / 1.5,
      most: 1,
    },
  ];
}
