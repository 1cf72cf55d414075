/** One request and what became of it, in virtual time or in real. */
import { FcgiError } from '../../src/errors.ts';
import type { DispatchController, DispatchHandler, DispatchRequest } from '../../src/pool/dispatcher.ts';

export interface Ask {
  /** ms of script. */
  readonly ms: number;
  /** ms that its script goes on behind its response (fastcgi_finish_request). */
  readonly tail?: number;
  /** ms after which its client leaves. */
  readonly giveUp?: number;
  /** It has a body that PHP may leave unread, so that its worker is asked first. */
  readonly put?: boolean;
}

export interface Asked extends Ask {
  readonly id: string;
  readonly at: number;
  /** ms from asking to the end; -1: not settled yet. */
  took: number;
  /** '' where it was answered, else the code of its error, or 'gave up'. */
  error: string;
  executed: string;
  attempts: number;
}

/** Who is asked: a pool, and the time that it lives in. */
export interface Asker {
  readonly asked: readonly Asked[];
  now(): number;
  /** Runs it at that time, in the process of the pool. */
  at(time: number, run: () => void): void;
  ask(ask: Ask, done?: () => void): Asked;
}

interface Dispatching {
  dispatch(request: DispatchRequest, handler: DispatchHandler): void;
}

/** Asks a pool; the script does as its params MS and TAIL say, and is counted by its ID. */
export function askOf(
  pool: Dispatching,
  asker: Pick<Asker, 'now' | 'at'>,
  id: string,
  ask: Ask,
  script: Readonly<Record<string, string>>,
  done: () => void,
): Asked {
  const { ms, tail = 0, giveUp, put = false } = ask;
  const asked: Asked = { ...ask, id, at: asker.now(), took: -1, error: '', executed: '', attempts: 0 };
  const settle = (error: string): void => {
    if (asked.took >= 0) return;
    asked.took = asker.now() - asked.at;
    asked.error = error;
    done();
  };
  const method = put ? 'PUT' : 'POST';
  const params = { ...script, REQUEST_METHOD: method, ID: id, MS: String(ms), TAIL: String(tail) };
  let control: DispatchController | null = null;
  pool.dispatch(put ? { params, body: 'a=1' } : { params }, {
    onRequestStart: (controller) => {
      control = controller;
    },
    onResponseStart: () => {},
    onResponseData: () => {},
    onResponseEnd: (_, { attempts }) => {
      asked.executed = 'yes';
      asked.attempts = attempts;
      settle('');
    },
    onResponseError: (_, error) => {
      if (error instanceof FcgiError) asked.executed = error.executed;
      settle(error instanceof FcgiError ? error.code : 'gave up');
    },
  });
  if (giveUp !== undefined) asker.at(asked.at + giveUp, () => control?.abort('gave up'));
  return asked;
}
