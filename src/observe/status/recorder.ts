/**
 * What happens in a pool while somebody looks: it listens to the channels from the first look on, and leaves off a while
 * after the last one. So a page that nobody opens costs nothing, and one that is opened tells what has been since.
 */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { PhpLevel } from '../../cgi/php-message.ts';
import {
  CHANNELS,
  type RequestMessage,
  type RequestRetry,
  type RequestStderr,
  type ServerState,
} from '../../connection/channels.ts';
import type { Executed, Phase } from '../../errors.ts';
import type { Observed } from '../prometheus/metrics.ts';
import { Scripts } from './scripts.ts';

export interface NotedMessage {
  /** ISO 8601. */
  readonly time: string;
  readonly level: PhpLevel;
  readonly message: string;
  /** '' where PHP has not said. */
  readonly file: string;
  /** 0 where PHP has not said. */
  readonly line: number;
  /** The script that was asked for. */
  readonly script: string;
}

export interface NotedRetry {
  /** ISO 8601. */
  readonly time: string;
  readonly script: string;
  /** Which failed it. */
  readonly server: string;
  readonly executed: Executed;
  readonly phase: Phase;
  /** The likely cause in words, or ''. */
  readonly hint: string;
}

export interface NotedState {
  /** ISO 8601. */
  readonly time: string;
  readonly server: string;
  readonly previous: string;
  readonly state: string;
  readonly why: string;
}

/** The Pool or Upstream whose requests are noted. */
type Seen = Pick<Observed, 'stats'>;

/** Of each kind, the latest. */
const MOST_NOTED = 15;
/** Characters; PHP may write a page full. */
const MOST_TEXT = 500;

export class Recorder {
  readonly scripts: Scripts = new Scripts();
  readonly messages: NotedMessage[] = [];
  readonly retries: NotedRetry[] = [];
  readonly states: NotedState[] = [];
  /** Of the requests that were sent again, by what was proven. */
  readonly proven: Record<Executed, number> = { no: 0, unknown: 0, yes: 0 };
  /** Epoch ms; 0: it does not listen. */
  since = 0;
  readonly #fpm: Seen;
  readonly #fpmStatus: string | undefined;
  #stops: (() => void)[] = [];

  /** `fpmStatus`: what is asked for the page itself, which is no script of the site. */
  constructor(fpm: Seen, fpmStatus?: string) {
    this.#fpm = fpm;
    this.#fpmStatus = fpmStatus;
  }

  start(): void {
    if (this.since > 0) return;
    this.since = Date.now();
    this.#stops = [
      this.#onEnd(),
      listen<RequestRetry>(CHANNELS.retry, (message) => this.#retry(message)),
      listen<RequestStderr>(CHANNELS.stderr, (message) => this.#stderr(message)),
      listen<ServerState>(CHANNELS.serverState, (message) => this.#state(message)),
    ];
  }

  /** Forgets all: what it would not have heard of meanwhile must not seem not to have been. */
  stop(): void {
    this.since = 0;
    for (const stop of this.#stops.splice(0)) stop();
    this.scripts.clear();
    for (const noted of [this.messages, this.retries, this.states]) noted.length = 0;
    for (const executed of ['no', 'unknown', 'yes'] as const) this.proven[executed] = 0;
  }

  #onEnd(): () => void {
    const { asyncEnd } = tracingChannel<unknown, RequestMessage>(CHANNELS.request);
    const on = (told: unknown): void => {
      const message = told as RequestMessage;
      if (message.dispatcher !== this.#fpm) return;
      const script = scriptOf(message);
      if (script !== this.#fpmStatus) this.scripts.add(script, message);
    };
    asyncEnd.subscribe(on);
    return () => void asyncEnd.unsubscribe(on);
  }

  #retry({ request, serverAddress, serverPort, executed, phase, hint }: RequestRetry): void {
    if (request.dispatcher !== this.#fpm) return;
    this.proven[executed]++;
    const server = nameOf(serverAddress, serverPort);
    note(this.retries, { time: now(), script: scriptOf(request), server, executed, phase, hint });
  }

  #stderr({ request, messages }: RequestStderr): void {
    if (request.dispatcher !== this.#fpm) return;
    for (const { level, message, file, line } of messages) {
      const text = message.length > MOST_TEXT ? `${message.slice(0, MOST_TEXT)}…` : message;
      note(this.messages, { time: now(), level, message: text, file, line, script: scriptOf(request) });
    }
  }

  /** By its address: a server is told of without its pool. */
  #state({ serverAddress, serverPort, previous, state, why }: ServerState): void {
    const server = nameOf(serverAddress, serverPort);
    if (!this.#fpm.stats.servers?.some(({ address }) => address === server)) return;
    note(this.states, { time: now(), server, previous, state, why });
  }
}

function listen<T>(name: string, listener: (message: T) => void): () => void {
  const on = (message: unknown): void => listener(message as T);
  channel(name).subscribe(on);
  return () => void channel(name).unsubscribe(on);
}

function note<T>(noted: T[], one: T): void {
  noted.unshift(one);
  if (noted.length > MOST_NOTED) noted.pop();
}

function now(): string {
  return new Date().toISOString();
}

/** Never the query, nor another param: they may be secrets. */
function scriptOf({ params }: RequestMessage): string {
  const script = params['SCRIPT_FILENAME'] ?? params['SCRIPT_NAME'] ?? '';
  return typeof script === 'string' ? script : Buffer.from(script).toString('utf8');
}

function nameOf(address: string | null, port: number | null): string {
  if (address === null) return '';
  if (port === null) return `unix:${address}`;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
