import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/pool/queue/admission.ts';

/** Eight were sent at once 206 ms ago, the first has just been answered, and its client asks again behind 15 others. */
function firstAnswer(overtaken: number): string {
  const admission = new Admission(1_000);
  admission.emptied([{ busy: 0, workers: 0, overtaken: 0 }], 1_000);
  for (let i = 0; i < 24; i++) admission.arrived(1_001);
  admission.served(1_206);
  admission.arrived(1_206);
  return admission.refusal([{ busy: 8, workers: 1, overtaken }], 15, 'fpm', 1_206)?.code ?? 'let in';
}

describe('while the first requests of a pool run', () => {
  it('those that nobody has overtaken are taken to run, so whoever asks again may wait', () => {
    expect(firstAnswer(0)).toBe('let in');
  });

  it('those that were overtaken wait for the one worker that is known', () => {
    expect(firstAnswer(1)).toBe('FCGI_ERR_QUEUE_OVERLOAD');
  });
});

describe('a new queue begins', () => {
  /** More than is answered, for three seconds, with 40 that wait. */
  const refused = (servers: { busy: number; workers: number; overtaken: number }[]): boolean => {
    const admission = new Admission(1_000);
    for (let now = 0; now < 3_000; now += 20) {
      admission.served(now);
      admission.arrived(now);
      admission.arrived(now);
    }
    admission.emptied(servers, 2_990);
    return admission.refusal([{ busy: 8, workers: 4, overtaken: 1 }], 40, 'fpm', 3_000) !== null;
  };

  it('where a worker was idle', () => {
    expect(refused([{ busy: 3, workers: 4, overtaken: 1 }])).toBe(false);
    expect(
      refused([
        { busy: 4, workers: 4, overtaken: 1 },
        { busy: 0, workers: 0, overtaken: 0 },
      ]),
    ).toBe(false);
  });

  it('not where all workers were busy, and one more waited for them', () => {
    expect(refused([{ busy: 4, workers: 4, overtaken: 1 }])).toBe(true);
    expect(refused([{ busy: 1, workers: 0, overtaken: 0 }])).toBe(true);
  });
});

it('says how many were refused, and when the queue is simply full', () => {
  const admission = new Admission(2);
  const server = { busy: 1, workers: 1, overtaken: 0 };
  expect(admission.refusal([server], 1, 'fpm', 1_000)).toBeNull();
  expect(admission.refusal([server], 2, 'fpm', 1_000)).toMatchObject({ code: 'FCGI_ERR_QUEUE_FULL' });
  expect(admission.refused).toBe(1);
});
