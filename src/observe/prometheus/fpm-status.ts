/** PHP-FPM's own status page as metrics, by the names of hipages' php-fpm_exporter, whose dashboards then fit. */
import type { Dispatcher } from '../../pool/dispatcher.ts';
import { type FpmPage, recounted } from '../fpm-page.ts';
import type { Metric, Observed } from './metrics.ts';

/** What a scrape gave. */
export interface FpmFigures {
  /** The status page's members; null: there was no answer. */
  readonly page: FpmPage | null;
  /** Its name for itself, the last that it has given; '' while there was no answer yet. */
  readonly pool: string;
  /** `tcp://127.0.0.1:9000/status`, `unix:/run/php/php-fpm.sock;/status`. */
  readonly uri: string;
  readonly failures: number;
}

/** Name of the metric, name in PHP-FPM's JSON, type, help. */
const PAGE: readonly (readonly [string, string, 'gauge' | 'counter', string])[] = [
  ['start_since', 'start since', 'counter', 'Seconds since php-fpm was started.'],
  ['accepted_connections', 'accepted conn', 'counter', 'Connections that the pool has accepted.'],
  [
    'listen_queue',
    'listen queue',
    'gauge',
    'Connections that wait to be accepted; always 0 on a unix socket.',
  ],
  ['max_listen_queue', 'max listen queue', 'counter', 'The most that have waited since the start.'],
  ['listen_queue_length', 'listen queue len', 'gauge', 'How many may wait.'],
  ['idle_processes', 'idle processes', 'gauge', 'Workers without a connection.'],
  ['active_processes', 'active processes', 'gauge', 'Workers with a connection, kept idle ones among them.'],
  ['total_processes', 'total processes', 'gauge', 'Workers.'],
  [
    'max_active_processes',
    'max active processes',
    'counter',
    'The most that were active at once; PHP-FPM counts requests on kept connections in, so more than there are.',
  ],
  [
    'max_children_reached',
    'max children reached',
    'counter',
    'How often pm.max_children kept php-fpm from starting one more worker.',
  ],
  ['slow_requests', 'slow requests', 'counter', 'Requests beyond request_slowlog_timeout.'],
];

export const fpmMetrics: readonly Metric<FpmFigures>[] = [
  {
    name: 'phpfpm_up',
    help: 'Did the status page answer?',
    type: 'gauge',
    labels: ['pool', 'scrape_uri'],
    joins: 'most',
    samples: (figures) => [{ labels: labelsOf(figures), value: Number(figures.page !== null) }],
  },
  {
    name: 'phpfpm_scrape_failures',
    help: 'How often it did not.',
    type: 'counter',
    labels: ['pool', 'scrape_uri'],
    joins: 'sum',
    samples: (figures) => [{ labels: labelsOf(figures), value: figures.failures }],
  },
  ...PAGE.map(
    ([name, member, type, help]): Metric<FpmFigures> => ({
      name: `phpfpm_${name}`,
      help,
      type,
      labels: ['pool', 'scrape_uri'],
      joins: 'most',
      samples: (figures) => {
        const value = figures.page?.[member];
        return typeof value === 'number' && value >= 0 ? [{ labels: labelsOf(figures), value }] : [];
      },
    }),
  ),
];

/** The same where it does not answer: else an alert on `phpfpm_up` would look at a series that ends as it goes down. */
function labelsOf({ pool, uri }: FpmFigures): Record<string, string> {
  return { pool, scrape_uri: uri };
}

/** The pages of all servers, those that are there now. */
export class FpmStatuses {
  readonly #fpm: Observed;
  readonly #dispatcher: Pick<Dispatcher, 'request'>;
  readonly #path: string;
  readonly #timeout: number;
  #asked: ReadonlyMap<string, FpmStatus> = new Map();

  /** `timeout`: ms for each, the queue included. */
  constructor(fpm: Observed, dispatcher: Pick<Dispatcher, 'request'>, path: string, timeout: number) {
    this.#fpm = fpm;
    this.#dispatcher = dispatcher;
    this.#path = path;
    this.#timeout = timeout;
  }

  /** Never rejects. `suits`: which of them. */
  ask(suits: (server: string) => boolean = () => true): Promise<FpmFigures[]> {
    const { stats, address = '' } = this.#fpm;
    const { servers } = stats;
    // What leaves, or is down by its option, is not asked.
    const named = servers?.filter(({ state }) => state !== 'leaving' && state !== 'down');
    const there = named?.map((server) => server.address) ?? [address];
    this.#asked = new Map(
      there.map((server) => [
        server,
        this.#asked.get(server) ??
          new FpmStatus(this.#dispatcher, this.#path, this.#timeout, server, servers && server),
      ]),
    );
    return Promise.all([...this.#asked].filter(([server]) => suits(server)).map(([, one]) => one.ask()));
  }
}

/** Asks for the page, once for all who ask while it is on its way. */
class FpmStatus {
  readonly #dispatcher: Pick<Dispatcher, 'request'>;
  readonly #path: string;
  readonly #timeout: number;
  #asking: Promise<FpmFigures> | null = null;
  #failures = 0;
  #uri = '';
  #pool = '';

  readonly #server: string | undefined;

  /** `timeout`: ms, the queue included. `server`: of several, which is asked. */
  constructor(
    dispatcher: Pick<Dispatcher, 'request'>,
    path: string,
    timeout: number,
    address: string,
    server?: string,
  ) {
    this.#dispatcher = dispatcher;
    this.#path = path;
    this.#timeout = timeout;
    this.#server = server;
    this.#uri = uriOf(address, path);
  }

  /** Never rejects. */
  ask(): Promise<FpmFigures> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<FpmFigures> {
    let page: FpmPage | null = null;
    try {
      const response = await this.#dispatcher.request({
        params: {
          SCRIPT_NAME: this.#path,
          SCRIPT_FILENAME: this.#path,
          REQUEST_METHOD: 'GET',
          REQUEST_URI: `${this.#path}?json&full`,
          QUERY_STRING: 'json&full',
        },
        timeout: this.#timeout,
        server: this.#server,
      });
      const found = await response.body.json();
      const { server } = await response.ended;
      this.#uri = uriOf(server, this.#path);
      if (response.statusCode === 200 && isPage(found)) page = recounted(found);
    } catch {
      // phpfpm_up says so; why, the pool's own errors say to those who ask for pages.
    }
    if (page === null) this.#failures++;
    const name = page?.['pool'];
    if (typeof name === 'string') this.#pool = name;
    return { page, pool: this.#pool, uri: this.#uri, failures: this.#failures };
  }
}

function uriOf(address: string, path: string): string {
  return address.startsWith('unix:') ? `${address};${path}` : `tcp://${address}${path}`;
}

function isPage(found: unknown): found is FpmPage {
  return typeof found === 'object' && found !== null && 'accepted conn' in found;
}
