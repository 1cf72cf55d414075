/** Detection of what a server is, on connections opened for that alone: one at a time. */
import type { Clock } from '../../connection/clock.ts';
import { detectBackend } from '../../connection/detect-backend.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import type { Target } from '../../connection/socket/address.ts';
import type { Connected } from '../../connection/socket/connect.ts';
import { publishClosed } from '../channels.ts';
import type { BackendKind } from '../learned/backend-kind.ts';
import { Slot } from './slot.ts';

/** What it needs of the server. */
export interface DetectedServer {
  readonly learned: {
    readonly backend: Pick<BackendKind, 'isKnown' | 'onNotDetected'>;
    backendAt(endpoint: string): Pick<BackendKind, 'onDetected' | 'onNotDetected'>;
    waited(wait: number): void;
  };
  readonly clock: Clock;
  readonly target: Target;
  /** The slots that have a connection, or are dialling for one. */
  readonly open: Set<Slot>;
  readonly closed: Record<CloseReason, number>;
}

/**
 * ms until it is tried again where all connections are in use: half of what a pool settles in (backend-kind.ts), so that one of its first moments
 * is made up for as that is over. With more a restart soon after our start finds us without a verdict.
 */
const GAVE_WAY_PAUSE = 50;

export interface DetectOptions {
  readonly dial: (stop: AbortSignal) => Promise<Connected>;
  /** ms for an answer. */
  readonly timeout: number;
  readonly stop: AbortSignal;
  /** No answer counts as a sign that it is no PHP-FPM. Not of a server that hangs: that answers nobody. */
  readonly countsSilence: boolean;
}

export class Detection {
  readonly #server: DetectedServer;
  /** Resolves to whether it has answered. */
  #running: Promise<boolean> | null = null;
  /** A request waits for it. */
  #isAwaited = false;
  /** Ends the one that runs beside the requests. */
  #beside: AbortController | null = null;
  /** The latest one beside the requests had to go: the next is better off in the place of one. */
  gaveWay = false;
  /** ms */
  readonly #pause: number;

  /** `early`: see BackendCheck. Until it is over, what is lost is 'unknown': one that had to go begins anew behind the next response. */
  constructor(server: DetectedServer, early: boolean) {
    this.#server = server;
    this.#pause = early ? 0 : GAVE_WAY_PAUSE;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** In a slot that has no connection; whoever comes meanwhile gets the same result. Never rejects. */
  run(slot: Slot, options: DetectOptions): Promise<boolean> {
    this.#running ??= this.#detect(slot, options).finally(() => {
      this.#running = null;
      this.#beside = null;
      this.#isAwaited = false;
    });
    return this.#running;
  }

  /** In a slot of its own, until a request needs its place. */
  runBeside(options: DetectOptions): void {
    const beside = new AbortController();
    this.#beside = beside;
    this.gaveWay = false;
    void this.run(new Slot(), { ...options, stop: AbortSignal.any([options.stop, beside.signal]) });
  }

  /** One more connection is opened than there may be. */
  giveWay(): void {
    if (this.#beside === null) return;
    const { learned, clock } = this.#server;
    this.#beside.abort();
    this.gaveWay = true;
    learned.backend.onNotDetected(clock.monotonic(), this.#pause);
  }

  /**
   * The same, where the fate of a request hangs on it. One that nobody waits for gives up sooner, and as soon as the server
   * is not used any more: where it came to nothing, it begins anew.
   */
  async runFor(job: { readonly over: boolean }, slot: Slot, options: DetectOptions): Promise<void> {
    if (this.#running !== null && !this.#isAwaited) await this.#running;
    if (this.#server.learned.backend.isKnown || job.over || options.stop.aborted) return;
    this.#isAwaited = true;
    await this.run(slot, options);
  }

  async #detect(slot: Slot, { dial, timeout, stop, countsSilence }: DetectOptions): Promise<boolean> {
    const { learned, clock, target, open } = this.#server;
    const beside = this.#beside;
    open.add(slot);
    const openedAt: number[] = [];
    const endpoints = new Set<string>();
    const connect = async (): Promise<Connected> => {
      const connected = await dial(stop);
      openedAt.push(clock.now());
      endpoints.add(connected.endpoint ?? '');
      return connected;
    };
    try {
      const detected = await detectBackend(connect, { transport: target.transport, clock, timeout, stop });
      const answered = detected.values !== null;
      if (answered) learned.waited(detected.answeredAfter);
      for (const endpoint of endpoints) {
        const backend = learned.backendAt(endpoint);
        // What was seen of two that took turns is true of neither.
        if (endpoints.size > 1) backend.onNotDetected(clock.monotonic());
        else if (!stop.aborted && (answered || countsSilence))
          backend.onDetected(detected, clock.monotonic());
      }
      return answered;
    } catch {
      // Nobody is there, or the job was given up: nothing is known.
      return false;
    } finally {
      // It has seen nothing: that must not read as if the server were known by now.
      const reason = beside?.signal.aborted === true ? 'fresh-needed' : 'examined';
      for (const at of openedAt) onExamined(this.#server, at, reason);
      open.delete(slot);
    }
  }
}

/** A connection that was opened only to see what the server is has been closed. `openedAt`: ms. */
export function onExamined(
  { closed, target, clock }: Pick<DetectedServer, 'closed' | 'target' | 'clock'>,
  openedAt: number,
  reason: 'examined' | 'fresh-needed' = 'examined',
): void {
  closed[reason]++;
  publishClosed(target, reason, { requests: 0, openedAt }, clock.now());
}
