import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { LossyLog } from '../../../../src/cli/serve/log/lossy-log.ts';

const line = `${'x'.repeat(99_999)}\n`;

it.each([
  ['text', line],
  ['bytes', Buffer.from(line)],
])(
  'while nobody reads, a log of %s keeps no more than a mebibyte and a line; how many are lost is told once',
  (_, one) => {
    const taken: string[] = [];
    let take = (): void => {};
    const out = new Writable({
      decodeStrings: false,
      write(chunk: string | Uint8Array, _encoding, done) {
        taken.push(chunk.toString());
        take = done;
      },
    });
    const log = new LossyLog(out);
    let done = 0;
    for (let i = 0; i < 50; i++) log.write(one, () => done++);
    expect(out.writableLength).toBeLessThan(1024 * 1024 + 2 * line.length);
    const kept = out.writableLength / line.length;
    // nobody waits for what is lost
    expect(done).toBe(50 - kept);
    for (let i = 0; i < kept; i++) take();
    log.write('after\n');
    log.write('again\n');
    take();
    take();
    expect(taken.slice(kept)).toEqual([
      `- ${50 - kept} lines lost: nobody read this log\n`,
      'after\n',
      'again\n',
    ]);
  },
);

it('what comes when its reader has left is let go of', () => {
  const out = new Writable();
  out.destroy();
  let done = 0;
  new LossyLog(out).write('lost\n', () => done++);
  expect(done).toBe(1);
});
