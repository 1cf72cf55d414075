/** How a request that was given to PHP ended, as a log wants to have it. */
import { type Executed, type FailureFacts, FcgiError, isError, RequestError } from '../../errors.ts';
import type { Ended } from '../../pool/dispatcher.ts';

interface Outcome {
  /** What the client was answered; 499 where it left before. */
  readonly statusCode: number;
  /** Why the response is not what PHP meant it to be; null: it is. */
  readonly error: unknown;
  /** How often the request was sent, or tried to be. */
  readonly attempts: number;
  /** The connection to PHP-FPM had served a request before this one. */
  readonly reused: boolean;
  readonly executed: Executed;
  /** The tail of what PHP wrote to STDERR. */
  readonly stderr: string;
  /** The likely cause of what went wrong, or ''. */
  readonly hint: string;
}

/** Given to `onEnd`. What else the dispatcher knows (server, times, ...) comes under its own names. */
export type EndInfo = Outcome & Partial<Omit<Ended & FailureFacts, keyof Outcome>>;

export function endedWell(statusCode: number, ended: Ended): EndInfo {
  return { ...ended, statusCode, error: null };
}

/** `facts`: what the dispatcher has seen, where the error itself does not say. */
export function endedBadly(statusCode: number, error: unknown, facts: Partial<FailureFacts> | null): EndInfo {
  const unknown = { attempts: 0, reused: false, executed: 'unknown' as const, stderr: '', hint: '' };
  const seen = facts ?? (error instanceof FcgiError ? error : {});
  return { ...unknown, ...factsOf(seen), statusCode, error };
}

type Facts = FailureFacts & Omit<Ended, keyof FailureFacts>;

const FACTS: Readonly<Record<keyof Facts, true>> = {
  phase: true,
  server: true,
  times: true,
  reused: true,
  requestsOnConnection: true,
  bytesSent: true,
  bytesReceived: true,
  attempts: true,
  executed: true,
  replayable: true,
  stderr: true,
  retryAfter: true,
  hint: true,
  appStatus: true,
};

/** By their names: `known` may be an error, which has others, too; and spread, an ArgumentError has none of them. */
function factsOf(known: Partial<Facts>): Partial<Facts> {
  const names = Object.keys(FACTS) as (keyof Facts)[];
  const found = names.filter((name) => known[name] !== undefined);
  return Object.fromEntries(found.map((name) => [name, known[name]])) as Partial<Facts>;
}

/** PHP-FPM's own page says "File not found." or "Access denied." and nothing else: `hint` names the file. */
export function scriptNotFound({ appStatus: _status, ...facts }: Ended): RequestError {
  return new RequestError('FCGI_ERR_SCRIPT_NOT_FOUND', 'PHP-FPM cannot open the script', { facts });
}

/** Why a reply has an end that its client must not take for the end. */
export function cutReason(cause: unknown): Error {
  return isError(cause) ? cause : new Error('The reply was cut short', { cause });
}

export function clientLeft(): Error {
  return new Error('The client closed the connection');
}

/** A framework does so by itself where its handler has returned, and a timeout of its own or of a middleware in front while PHP runs. */
export function endedByOther(): Error {
  return new Error(
    "Another handler has ended the response while PHP was asked, and PHP's reply is lost: a timeout in front may be shorter than the script takes; where a framework ends it as soon as its handler returns, the PHP handler belongs in front of the framework",
  );
}
