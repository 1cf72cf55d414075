/** Which turn of the event loop it is: what was read together in one turn came before anybody had an answer. */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

export interface EventLoop {
  /** Another number in another turn. */
  turn(): number;
}

interface LoopMetrics {
  readonly uvMetricsInfo?: { readonly loopCount: number };
}

/** libuv counts its turns (node from 20.18 and 22.8 on); another runtime does not, and is asked to call back behind each. */
export function eventLoop(metrics: LoopMetrics = performance.nodeTiming ?? {}): EventLoop {
  return metrics.uvMetricsInfo === undefined ? new WatchedLoop() : new CountedLoop(metrics);
}

/** To look costs less than a tenth of a microsecond. A callback behind each turn costs a turn more, in which the loop cannot sleep. */
class CountedLoop implements EventLoop {
  readonly #metrics: LoopMetrics;

  constructor(metrics: LoopMetrics) {
    this.#metrics = metrics;
  }

  turn(): number {
    return this.#metrics.uvMetricsInfo?.loopCount ?? 0;
  }
}

class WatchedLoop implements EventLoop {
  #turn = 0;
  #isWatched = false;

  turn(): number {
    if (!this.#isWatched) {
      this.#isWatched = true;
      setImmediate(this.#end);
    }
    return this.#turn;
  }

  readonly #end = (): void => {
    this.#isWatched = false;
    this.#turn++;
  };
}
