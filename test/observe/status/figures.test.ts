/** What the status page reckons, and how it says it. */
import { describe, expect, it } from 'vitest';
import { durationOf, numberOf, rateOf } from '../../../src/observe/status/format.ts';
import { html } from '../../../src/observe/status/html.ts';
import { Rate } from '../../../src/observe/status/rates.ts';
import { Scripts } from '../../../src/observe/status/scripts.ts';

describe('requests a second', () => {
  it('are those of the last 5 s, and not known from one look', () => {
    const rate = new Rate();
    expect(rate.add(100, 0)).toBeNull();
    expect(rate.add(120, 1000)).toBe(20);
    for (let second = 2; second <= 10; second++) rate.add(120 + (second - 1) * 5, second * 1000);
    expect(rate.add(165, 10_001)).toBeCloseTo(5, 1);
    expect(rate.most).toBe(20);
  });

  it('begin anew where the counter has', () => {
    const rate = new Rate();
    rate.add(100, 0);
    expect(rate.add(3, 1000)).toBeNull();
    expect(rate.add(13, 2000)).toBe(10);
  });
});

describe('the slowest scripts', () => {
  const times = (total: number): object => ({
    result: { times: { queued: 5, connecting: 1, firstByte: 2, total: total + 6 } },
    statusCode: 200,
  });

  it('are those that cost most worker time; waiting is not theirs', () => {
    const scripts = new Scripts();
    for (let i = 0; i < 10; i++) scripts.add('/often.php', times(10) as never);
    scripts.add('/slow.php', times(90) as never);
    scripts.add('/slow.php', { ...times(20), statusCode: 503 } as never);
    expect(scripts.slowest(5)).toEqual([
      { script: '/slow.php', requests: 2, failed: 1, mean: 55, max: 90, total: 110 },
      { script: '/often.php', requests: 10, failed: 0, mean: 10, max: 10, total: 100 },
    ]);
    expect(scripts.slowest(1)).toHaveLength(1);
  });

  it('are told of in bounded memory: the cheapest is forgotten', () => {
    const scripts = new Scripts();
    scripts.add('/dear.php', times(1000) as never);
    for (let nth = 0; nth < 2000; nth++) scripts.add(`/${nth}.php`, times(1) as never);
    expect(scripts.slowest(10_000)).toHaveLength(500);
    expect(scripts.slowest(1)[0]?.script).toBe('/dear.php');
  });
});

it('durations and numbers are short', () => {
  expect([0, 0.04, 9.94, 9.96, 250.4, 999, 1500, 59_000, 90_000, 7_500_000].map(durationOf)).toEqual([
    '0.0 ms',
    '0.0 ms',
    '9.9 ms',
    '10 ms',
    '250 ms',
    '999 ms',
    '1.5 s',
    '59.0 s',
    '1 min',
    '2 h 5 min',
  ]);
  expect(numberOf(1_234_567)).toBe('1,234,567');
  expect([null, 0, 3.14, 1500.2].map(rateOf)).toEqual(['–', '0.0', '3.1', '1,500']);
});

it('what is put into HTML is escaped, at every depth, but for HTML', () => {
  const evil = `<img src=x onerror="alert(1)">'&`;
  const inner = html`<b>${evil}</b>`;
  expect(html`<p title="${evil}">${[inner, [evil]]}${3}</p>`.text).toBe(
    '<p title="&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;">' +
      '<b>&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;</b>' +
      '&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;3</p>',
  );
  expect(html`${'a\u0000\u202eb'}`.text).toBe('a��b');
});
