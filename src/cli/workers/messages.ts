/** What the first process and its workers tell each other. All of it can be written as JSON. */
import type { StatusReport } from '../../observe/status/report.ts';
import type { ServeCommand } from '../args/serve.ts';
import type { Site } from '../serve/handler.ts';
import type { Certificate } from '../serve/http/tls.ts';
import type { Php } from '../serve/own-fpm.ts';

/** What a worker has to know to serve. */
export interface Setup {
  readonly command: ServeCommand;
  readonly sites: readonly Site[];
  /** Who runs the PHP of each site. */
  readonly php: readonly Php[];
  readonly addresses: readonly { readonly tls: boolean }[];
  readonly certificate: Certificate | null;
}

export type ToWorker =
  | { readonly kind: 'setup'; readonly setup: Setup }
  /** With a socket; `addressIndex`: of the address where it was accepted. */
  | { readonly kind: 'connection'; readonly id: number; readonly addressIndex: number }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  /** For the status page of a site, which another worker shows. */
  | { readonly kind: 'look'; readonly id: number; readonly site: number }
  /** What the others said. */
  | { readonly kind: 'reports'; readonly id: number; readonly reports: readonly StatusReport[] }
  /** `limit` in milliseconds; 0: none. */
  | { readonly kind: 'drain'; readonly limit: number };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** The connection is the worker's now. */
  | { readonly kind: 'took'; readonly id: number }
  /** Somebody looks at its status page: what do the others say? */
  | { readonly kind: 'ask'; readonly id: number; readonly site: number }
  | { readonly kind: 'report'; readonly id: number; readonly report: StatusReport }
  /** Lines of the access log. */
  | { readonly kind: 'log'; readonly lines: string }
  | { readonly kind: 'say'; readonly line: string }
  | { readonly kind: 'php'; readonly request: string; readonly text: string; readonly isLogged: boolean }
  /** Before it ends; whether all requests were answered. */
  | { readonly kind: 'drained'; readonly all: boolean };

const KINDS: ReadonlySet<unknown> = new Set<FromWorker['kind']>([
  'ready',
  'took',
  'ask',
  'report',
  'log',
  'say',
  'php',
  'drained',
]);

/** What a process manager or an agent has put into a worker (PM2, say) talks to its parent as well. */
export function isFromWorker(message: unknown): message is FromWorker {
  return typeof message === 'object' && message !== null && 'kind' in message && KINDS.has(message.kind);
}
