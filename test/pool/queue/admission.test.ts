import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/pool/queue/admission.ts';

/** Eight were sent at once 206 ms ago, `answered` of them have just been, and one of their clients asks behind 15 others. */
function askedAgain(answered: number): string {
  const admission = new Admission(1_000);
  admission.emptied([{ busy: 0, workers: 0 }], 1_000);
  for (let i = 0; i < 24; i++) admission.arrived(1_001);
  for (let i = 0; i < answered; i++) admission.served(1_206);
  admission.arrived(1_206);
  return admission.refusal([{ busy: 8, workers: 1 }], 15, 'fpm', 1_206)?.code ?? 'let in';
}

it('while the first requests of a pool run, the rest of them is taken to run as well', () => {
  expect(askedAgain(1)).toBe('let in');
  expect(askedAgain(7)).toBe('let in');
});

describe('a new queue begins', () => {
  /** More than is answered, for three seconds, with 40 that wait. */
  const refused = (servers: { busy: number; workers: number }[]): boolean => {
    const admission = new Admission(1_000);
    for (let now = 0; now < 3_000; now += 20) {
      admission.served(now);
      admission.arrived(now);
      admission.arrived(now);
    }
    admission.emptied(servers, 2_990);
    return admission.refusal([{ busy: 8, workers: 4 }], 40, 'fpm', 3_000) !== null;
  };

  it('where a worker was idle', () => {
    expect(refused([{ busy: 3, workers: 4 }])).toBe(false);
    expect(
      refused([
        { busy: 4, workers: 4 },
        { busy: 0, workers: 0 },
      ]),
    ).toBe(false);
  });

  it('not where all workers were busy, and one more waited for them', () => {
    expect(refused([{ busy: 4, workers: 4 }])).toBe(true);
    expect(refused([{ busy: 1, workers: 0 }])).toBe(true);
  });
});

it('the workers of all servers count: where fewer wait than there are, nobody is refused', () => {
  const admission = new Admission(1_000);
  for (let now = 0; now < 5_000; now += 200) {
    admission.served(now);
    for (let i = 0; i < 3; i++) admission.arrived(now);
  }
  const servers = [
    { busy: 4, workers: 4 },
    { busy: 4, workers: 4 },
  ];
  expect(admission.refusal(servers, 7, 'fpm', 5_000)).toBeNull();
  const soon = admission.refusal(servers, 8, 'fpm', 5_000);
  expect(soon).toMatchObject({ code: 'FCGI_ERR_QUEUE_OVERLOAD', retryAfter: 1 });
  // 5 a second are answered, so 100 take some 10 to 20 seconds.
  const late = admission.refusal(servers, 100, 'fpm', 5_000)?.retryAfter;
  expect(late).toBeGreaterThanOrEqual(8);
  expect(late).toBeLessThanOrEqual(20);
});

it('says how many were refused, and when the queue is simply full', () => {
  const admission = new Admission(2);
  const server = { busy: 1, workers: 1 };
  for (let i = 0; i < 2; i++) expect(admission.refusal([server], 1, 'fpm', 1_000)).toBeNull();
  expect(admission.refusal([server], 2, 'fpm', 1_000)).toMatchObject({
    code: 'FCGI_ERR_QUEUE_FULL',
    retryAfter: 1,
  });
  expect(admission.refused).toBe(1);
});
