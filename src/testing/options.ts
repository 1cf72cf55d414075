/** The options of the fake PHP-FPM: their defaults, and what they may be. */
import { checkIsOptions, checkNames, LONGEST_DELAY } from '../arguments.ts';
import { ArgumentError } from '../errors.ts';
import type { FakeRequest, FakeScript } from './script.ts';

export interface FakeFpmOptions {
  /** Default: answers `ok` as text/plain. */
  readonly script?: FakeScript;
  /** Default `'unix'`, in a new temporary directory (below `/tmp` where TMPDIR is too long for a socket); `'tcp'` is a free port of 127.0.0.1. */
  readonly transport?: 'unix' | 'tcp';
  /** `pm.max_children`, all started at once: how many connections are served at a time, 1 to 10,000. Default 2. */
  readonly workers?: number;
  /** `pm.max_requests`: how many requests a worker serves before it is replaced. Default 0: no limit. */
  readonly maxRequests?: number;
  /** Milliseconds from accept to the first byte, after which the connection is closed. Default 5000; 0 disables. */
  readonly firstByteTimeout?: number;
  /**
   * `process_control_timeout`, in milliseconds, which `reload()` obeys. 0, PHP-FPM's own default: all workers are killed at
   * once, a script in its middle, too. Above 0: each ends the request that it runs, or one more where its connection is idle,
   * and what is left after that time is killed; nobody is accepted until all have gone. Default: none of the two, see `reload()`.
   */
  readonly processControlTimeout?: number;
  /** STDOUT and STDERR go out in records of at most so many bytes, 1 to 65,535. Default 8192. */
  readonly recordSize?: number;
  /** Cuts all output into writes of so many bytes. Default 0: not cut. */
  readonly writeSize?: number;
  /** Bytes of padding behind each STDOUT and STDERR record, 0 to 255. Default: up to a multiple of 8. */
  readonly padding?: number;
  /** Sends the empty STDOUT record before END_REQUEST, which PHP-FPM leaves out. Default false. */
  readonly stdoutTerminator?: boolean;
  /**
   * Behaves as servers other than PHP-FPM do: the body ends at the empty STDIN record, whatever CONTENT_LENGTH says,
   * and the script runs when it has come. Default false.
   */
  readonly readsToEndOfInput?: boolean;
  /**
   * Called when the params are there and the script is about to run; what it returns is waited for. A test that
   * returns a promise here holds the answer for as long as it likes, without a timer.
   */
  readonly onRequest?: (request: FakeRequest) => void | Promise<void>;
}

/** The options with every default in its place. */
export type FakeFpmSettings = Required<Omit<FakeFpmOptions, 'padding' | 'processControlTimeout'>> & {
  readonly padding: number | null;
  readonly processControlTimeout: number | null;
};

const defaultScript: FakeScript = async (_request, response) => {
  await response.stdout('Content-type: text/plain;charset=UTF-8\r\n\r\nok');
};

/** All there are. Spelled out as the type's own keys, so that none can be forgotten. */
const KNOWN: Readonly<Record<keyof FakeFpmOptions, true>> = {
  script: true,
  transport: true,
  workers: true,
  maxRequests: true,
  firstByteTimeout: true,
  processControlTimeout: true,
  recordSize: true,
  writeSize: true,
  padding: true,
  stdoutTerminator: true,
  readsToEndOfInput: true,
  onRequest: true,
};

/** Throws FCGI_ERR_INVALID_ARG, naming the option. */
export function resolveOptions(options: FakeFpmOptions): FakeFpmSettings {
  checkIsOptions('options', options);
  checkNames(options, KNOWN, 'startFakeFpm()');
  const {
    script = defaultScript,
    transport = 'unix',
    workers = 2,
    maxRequests = 0,
    firstByteTimeout = 5000,
    processControlTimeout,
    recordSize = 8192,
    writeSize = 0,
    padding,
    stdoutTerminator = false,
    readsToEndOfInput = false,
    onRequest = () => {},
  } = options;
  if (transport !== 'unix' && transport !== 'tcp')
    throw invalid('transport', `must be 'unix' or 'tcp', not ${String(transport)}`);
  if (typeof script !== 'function') throw invalid('script', 'must be a function');
  if (typeof onRequest !== 'function') throw invalid('onRequest', 'must be a function');
  checkFlag('stdoutTerminator', stdoutTerminator);
  checkFlag('readsToEndOfInput', readsToEndOfInput);
  checkInteger('workers', workers, 1, 10_000);
  checkInteger('maxRequests', maxRequests, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('firstByteTimeout', firstByteTimeout, 0, LONGEST_DELAY);
  if (processControlTimeout !== undefined)
    checkInteger('processControlTimeout', processControlTimeout, 0, LONGEST_DELAY);
  checkInteger('recordSize', recordSize, 1, 65_535);
  checkInteger('writeSize', writeSize, 0, Number.MAX_SAFE_INTEGER);
  if (padding !== undefined) checkInteger('padding', padding, 0, 255);
  return {
    script,
    transport,
    workers,
    maxRequests,
    firstByteTimeout,
    processControlTimeout: processControlTimeout ?? null,
    recordSize,
    writeSize,
    padding: padding ?? null,
    stdoutTerminator,
    readsToEndOfInput,
    onRequest,
  };
}

function checkInteger(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(option, `must be an integer from ${least} to ${most}, not ${String(value)}`);
}

function checkFlag(option: string, value: boolean): void {
  if (typeof value !== 'boolean') throw invalid(option, `must be true or false, not ${String(value)}`);
}

function invalid(option: string, message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, `${option} ${message}`);
}
