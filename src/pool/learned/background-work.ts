/**
 * After `fastcgi_finish_request()` a worker goes on running behind an END_REQUEST that looks like any other, and the
 * next request on that connection waits for it. The pool cannot see that; but when an answer on a kept connection
 * takes far longer than that script ever does, it blames the script before, whose requests then go out without
 * FCGI_KEEP_CONN for a while. (A script can say so itself, by `Connection: close` in its head.) A busy machine stalls
 * any script now and then: one that has mostly been followed by answers in time is not blamed for that.
 *
 * Decisions only; times are given, in ms.
 */

interface Script {
  /** What its first byte usually takes. */
  usual: number;
  samples: number;
  /** Answers behind it that came in time, and those that did not. */
  inTime: number;
  late: number;
  /** Not to be kept until then. */
  blamedUntil: number;
  blames: number;
}

/** Scripts that are remembered; the one that was met first is forgotten first. */
const MOST_SCRIPTS = 512;
const ENOUGH_SAMPLES = 3;
/** "Far longer": so many times the usual, and so many ms. */
const TIMES = 10;
const AT_LEAST = 100;
/** A script is blamed from one late answer in so many on. */
const LATE_IN = 10;
/** ms, and times the usual. */
const UNKNOWN_BUDGET = 1_000;
const LEAST_BUDGET = 100;
const BUDGET_TIMES = 4;
const LONGEST_BUDGET = 10_000;
const FIRST_BLAME = 60_000;
const LONGEST_BLAME = 3_600_000;

export class BackgroundWork {
  readonly #scripts: Map<string, Script> = new Map();
  /** Some script is blamed, or has been. */
  anyBlamed = false;

  /** May a connection be kept behind this script? */
  keeps(script: string, now: number): boolean {
    const known = this.#scripts.get(script);
    return known === undefined || now >= known.blamedUntil;
  }

  /** ms in which a script has nearly always answered; a guess for one that is not known. */
  budget(script: string): number {
    const known = this.#scripts.get(script);
    if (known === undefined || known.samples === 0) return UNKNOWN_BUDGET;
    return Math.min(LONGEST_BUDGET, BUDGET_TIMES * known.usual + LEAST_BUDGET);
  }

  /** `script`'s first byte came after `took`; `before`: the script that ran on that connection before it, or null. */
  answered(script: string, before: string | null, took: number): void {
    const known = this.#scripts.get(script) ?? this.#remember(script);
    if (isFarLonger(took, known)) return;
    known.samples++;
    known.usual += (took - known.usual) / Math.min(known.samples, 16);
    if (before === null) return;
    const followed = before === script ? known : this.#scripts.get(before);
    if (followed !== undefined) followed.inTime++;
  }

  /**
   * No byte yet after `waited`. True: that is far longer than usual, and the script before has been told so, before
   * others meet its tail; not to be asked again for this answer.
   */
  silent(script: string, before: string, waited: number, now: number): boolean {
    const known = this.#scripts.get(script);
    if (known === undefined || !isFarLonger(waited, known)) return false;
    this.#suspect(before, now);
    return true;
  }

  #suspect(script: string, now: number): void {
    const known = this.#scripts.get(script) ?? this.#remember(script);
    if (now < known.blamedUntil) return;
    known.late++;
    if (known.late * LATE_IN < known.inTime) return;
    known.inTime = 0;
    known.late = 0;
    known.blamedUntil = now + Math.min(LONGEST_BLAME, FIRST_BLAME * 2 ** known.blames);
    known.blames++;
    this.anyBlamed = true;
  }

  #remember(name: string): Script {
    if (this.#scripts.size >= MOST_SCRIPTS) {
      for (const oldest of this.#scripts.keys()) {
        this.#scripts.delete(oldest);
        break;
      }
    }
    const script: Script = { usual: 0, samples: 0, inTime: 0, late: 0, blamedUntil: 0, blames: 0 };
    this.#scripts.set(name, script);
    return script;
  }
}

function isFarLonger(took: number, { usual, samples }: Script): boolean {
  return samples >= ENOUGH_SAMPLES && took > TIMES * usual + AT_LEAST;
}
