/** Listens to channels for as long as a test lasts. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PoolOptions } from '../../src/index.ts';

/** A message, and the last words of the channel's name. */
export type Told = [name: string, message: Record<string, unknown>];

export interface Listening extends Disposable {
  readonly told: Told[];
  /** The messages of one channel. */
  of(name: string): Record<string, unknown>[];
}

/** `names`: of channels, without `fastcgi-pool:`; of a tracing channel with its event, as in `request:start`. */
export function listen(...names: string[]): Listening {
  const told: Told[] = [];
  const stops = names.map((name) => {
    const traced = /^(?:request|connect):(?:start|end|asyncStart|asyncEnd|error)$/.test(name);
    const full = `${traced ? 'tracing:' : ''}fastcgi-pool:${name}`;
    const note = (message: unknown): void => void told.push([name, message as Record<string, unknown>]);
    subscribe(full, note);
    return () => unsubscribe(full, note);
  });
  return {
    told,
    of: (name) => told.filter(([one]) => one === name).map(([, message]) => message),
    [Symbol.dispose]: () => {
      for (const stop of stops) stop();
    },
  };
}

export const REQUEST: readonly string[] = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
  (event) => `request:${event}`,
);
export const CONNECT: readonly string[] = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
  (event) => `connect:${event}`,
);

/** A pool whose connections neither time nor a slow machine ends, to a server that is PHP-FPM. */
export const KEPT: PoolOptions = { backend: 'php-fpm', keepaliveTime: 0, keepaliveTimeout: 0 };
