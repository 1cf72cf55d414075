import { expect, it } from 'vitest';
import { Histogram } from '../../../src/pool/stats/histogram.ts';

it('says nothing of nothing', () => {
  expect(new Histogram().summary).toEqual({ count: 0, p50: 0, p99: 0 });
});

it('tells median and 99th percentile within a tenth', () => {
  const histogram = new Histogram();
  for (let i = 1; i <= 1_000; i++) histogram.add(i);
  const { count, p50, p99 } = histogram.summary;
  expect(count).toBe(1_000);
  expect(p50 / 500).toBeGreaterThanOrEqual(1);
  expect(p50 / 500).toBeLessThan(1.1);
  expect(p99 / 990).toBeGreaterThanOrEqual(1);
  expect(p99 / 990).toBeLessThan(1.1);
});

it.each([0, 0.05, 1e9, Number.MAX_VALUE])('%d ms is counted, too', (took) => {
  const histogram = new Histogram();
  histogram.add(took);
  expect(histogram.summary.count).toBe(1);
  expect(histogram.summary.p50).toBeGreaterThan(0);
});

it('forgets what two turns have passed by', () => {
  const histogram = new Histogram();
  histogram.add(100);
  histogram.rotate();
  histogram.add(1);
  expect(histogram.summary).toMatchObject({ count: 2 });
  expect(histogram.summary.p99).toBeGreaterThan(90);
  histogram.rotate();
  expect(histogram.summary).toMatchObject({ count: 1 });
  expect(histogram.summary.p99).toBeLessThan(2);
});
