/**
 * How long do clients wait before they leave? A worker that runs the script of a client who has left works for nobody: where pages take a
 * second, and clients leave after two, a queue of a second or more ends in nothing but such scripts. So where half of the scripts are
 * for nobody it is learned from those who left, and nobody is let in who would be answered too late. Times in ms.
 */

/** The latest of them count: where a worker is never idle, those of a whole day would gather. */
const MOST_LEFT = 64;
/** The share of scripts for nobody: at first, and once it is known how long clients stay. Some leave in any case. */
const MANY = 1 / 2;
const MANY_WHEN_KNOWN = 1 / 4;
/** Scripts that the share is made of. */
const SCRIPTS = 16;
/** It is not known to the ms when a page will be answered. */
const IN_TIME = 0.8;
/** As nobody stays longer any more, nobody can show that others would: it is doubled after so many times of what was learned, and then forgotten. */
const DOUBLED_AFTER = 40;

export class Patience {
  /** After how long those left who were let in since the last lesson. */
  #left: number[] = [];
  /** Of the scripts that such requests ran: how many were for nobody, 0 to 1. */
  #share = 0;
  #patience = 1;
  #longest = Number.POSITIVE_INFINITY;
  #learnedAt = Number.NEGATIVE_INFINITY;

  /** A worker is idle: nobody has to wait, and whoever has left had other reasons. */
  idle(): void {
    if (this.#left.length > 0) this.#left = [];
    this.#share = 0;
  }

  /** A client was answered, `age` ms after its request was let in. */
  answered(now: number, age: number): void {
    if (now - age >= this.#learnedAt) this.#share -= this.#share / SCRIPTS;
  }

  /** A client has left unanswered, `age` ms after its request was let in. `least`: the quickest page of late. */
  left(now: number, age: number, isSent: boolean, least: number): void {
    if (now - age < this.#learnedAt) return;
    this.#left.push(age);
    if (this.#left.length > MOST_LEFT) this.#left.shift();
    if (isSent) this.#share += (1 - this.#share) / SCRIPTS;
    const longest = this.longest(now);
    const many = longest === Number.POSITIVE_INFINITY ? MANY : MANY_WHEN_KNOWN;
    if (this.#share < many) return;
    const sorted = this.#left.sort((a, b) => a - b);
    const patience = sorted[Math.floor(sorted.length / 4)] ?? age;
    this.idle();
    // Whoever does not wait for the quickest page could not be served at all.
    if (patience < least) return;
    this.#patience = patience;
    this.#longest = IN_TIME * Math.min(patience, longest);
    this.#learnedAt = now;
  }

  /** Who is answered within so many ms is still there; Infinity: not known. */
  longest(now: number): number {
    const longest = this.#longest * 2 ** ((now - this.#learnedAt) / this.#patience / DOUBLED_AFTER);
    return longest < 2 * this.#patience ? longest : Number.POSITIVE_INFINITY;
  }
}
