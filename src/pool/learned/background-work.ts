/**
 * After `fastcgi_finish_request()` a worker goes on running behind an END_REQUEST that looks like any other, and the
 * next request on that connection would wait for it: for ever, where the script asks this very gateway for another page.
 * FCGI_GET_VALUES is answered once the worker has come back. So behind a script that the pool does not know yet, or that
 * has once come back late, the connection is asked before it is used again. (A script can also say `Connection: close`.)
 *
 * Decisions only; times are given, in ms.
 */

interface Script {
  /** What its first byte usually takes. */
  usual: number;
  samples: number;
  /** Replies that its worker came back, since it was late: one that came at once counts as `QUICK_COUNTS`. */
  replies: number;
  /** It is taken to have no such work with so many. */
  sure: number;
  /** The last time it came back late, or is believed to have. */
  late: boolean;
}

/** Scripts that are remembered; the one that was met first is forgotten first. */
const MOST_SCRIPTS = 512;
const ENOUGH_SAMPLES = 3;
/** "Far longer": so many times the usual, and so many ms. */
const TIMES = 10;
const AT_LEAST = 500;
/** ms: a worker that is not back by then is late. To outlive an answer takes 65 at the most. */
export const AT_ONCE = 75;
/**
 * ms beyond what a connect takes: so quickly nobody has asked for a page and has it. A slower worker may have waited for a page of this
 * very site that another process has answered.
 */
const QUICK = 0.5;
/** A script is taken to have no such work once its worker was back twice at once, or 200 times without being late. */
const SURE = 200;
const QUICK_COUNTS = 100;
/** Ten times as often behind one that was late, and twice that whenever it is late again: each time a request may have waited in vain. */
const SURE_AGAIN = 2_000;
const MOST_SURE = 32_000;
/** ms, and times the usual. */
const UNKNOWN_BUDGET = 1_000;
const LEAST_BUDGET = 100;
const BUDGET_TIMES = 4;
const LONGEST_BUDGET = 10_000;

/** What has been answered, by any server of an Upstream: a script on one may have waited for another. */
export class Answers {
  /** When the latest of the requests came that were answered. */
  latest: number = Number.NEGATIVE_INFINITY;

  /** A request is answered that came at `queuedAt`. */
  served(queuedAt: number): void {
    this.latest = Math.max(this.latest, queuedAt);
  }
}

export class BackgroundWork {
  readonly #scripts: Map<string, Script> = new Map();
  readonly #answers: Answers;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** Must the connection behind this script be asked whether its worker is back? */
  mustCheck(script: string): boolean {
    const known = this.#scripts.get(script);
    return known === undefined || known.replies < known.sure;
  }

  /** The last time its worker came back late, or is believed to have: it is not waited for where another one may be free. */
  isLate(script: string): boolean {
    const known = this.#scripts.get(script);
    return known?.late === true;
  }

  /** Its response was whole at `endedAt`, and a reply says that the worker was back by `now`. `connect`: ms that a connect takes. */
  workerReturned(script: string, endedAt: number, now: number, connect: number): void {
    const known = this.#scripts.get(script) ?? this.#remember(script);
    const took = now - endedAt;
    if (took > AT_ONCE) {
      suspect(known);
      return;
    }
    known.late = false;
    // It may have waited for the one that has been answered.
    if (this.#answers.latest > endedAt) return;
    known.replies += took <= QUICK + connect ? QUICK_COUNTS : 1;
  }

  /** ms in which a script has nearly always answered; a guess for one that is not known. */
  budget(script: string): number {
    const known = this.#scripts.get(script);
    if (known === undefined || known.samples === 0) return UNKNOWN_BUDGET;
    return Math.min(LONGEST_BUDGET, BUDGET_TIMES * known.usual + LEAST_BUDGET);
  }

  /** `script`'s first byte came after `took`. */
  answered(script: string, took: number): void {
    const known = this.#scripts.get(script) ?? this.#remember(script);
    if (isFarLonger(took, known)) return;
    known.samples++;
    known.usual += (took - known.usual) / Math.min(known.samples, 16);
  }

  /**
   * No byte yet after `waited`, on a connection that `before` ran on. True: that is far longer than usual, and the script
   * before is suspected, so that others are asked for; not to be called again for this answer.
   */
  silent(script: string, before: string, waited: number): boolean {
    const known = this.#scripts.get(script);
    if (known === undefined || !isFarLonger(waited, known)) return false;
    suspect(this.#scripts.get(before) ?? this.#remember(before));
    return true;
  }

  #remember(name: string): Script {
    if (this.#scripts.size >= MOST_SCRIPTS) {
      for (const oldest of this.#scripts.keys()) {
        this.#scripts.delete(oldest);
        break;
      }
    }
    const script: Script = { usual: 0, samples: 0, replies: 0, sure: SURE, late: false };
    this.#scripts.set(name, script);
    return script;
  }
}

function suspect(script: Script): void {
  script.replies = 0;
  script.sure = Math.min(MOST_SURE, Math.max(SURE_AGAIN, 2 * script.sure));
  script.late = true;
}

function isFarLonger(took: number, { usual, samples }: Script): boolean {
  return samples >= ENOUGH_SAMPLES && took > TIMES * usual + AT_LEAST;
}
