/** Figures for people. */

/** ms. */
export function durationOf(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1234567: `1,234,567`. */
export function numberOf(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** A second; null: not yet known. */
export function rateOf(value: number | null): string {
  if (value === null) return '–';
  return value < 9.95 ? value.toFixed(1) : numberOf(value);
}
