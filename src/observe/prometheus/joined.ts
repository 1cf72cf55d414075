/** One figure for each set of labels: several pools may ask one server, and nothing tells them apart. Pure. */
import type { Metric, Sample } from './metrics.ts';

/** In the order in which their labels came first. */
export function joined(samples: readonly Sample[], joins: Metric<never>['joins']): Sample[] {
  const found = new Map<string, Sample>();
  for (const sample of samples) {
    const key = JSON.stringify(Object.entries(sample.labels).sort());
    const before = found.get(key)?.value;
    const { labels, value } = sample;
    if (before === undefined) found.set(key, sample);
    else found.set(key, { labels, value: joins === 'sum' ? before + value : Math.max(before, value) });
  }
  return [...found.values()];
}
