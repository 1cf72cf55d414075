/** What is wrong: each check takes the facts and gives a finding, or null. Nothing here looks at anything itself. */
import { MOST_READ_BEFORE_SCRIPT } from '../../connection/evidence/read-before-script.ts';
import type { Target } from '../../connection/socket/address.ts';
import { quantityOf } from '../php/quantity.ts';
import { UNFINISHED } from '../php/run-script.ts';
import type { Facts, Finding, Unreachable } from './facts.ts';
import { isOff, secondsOf } from './units.ts';

export type Check = (facts: Facts) => Omit<Finding, 'id'> | null;

/** s: `headersTimeout` by default. */
const HEADERS_TIMEOUT = 60;

export const checks: Readonly<Record<string, Check>> = {
  unreachable: ({ unreachable, target }) =>
    unreachable === null
      ? null
      : {
          what: unreachable.reason,
          why: 'no request would be answered',
          change: changeToReach(unreachable, target),
        },

  'not-asked': ({ notRun }) =>
    notRun === null
      ? null
      : {
          what: notRun,
          why: 'what PHP itself says could not be looked at',
          change: changeToAsk(notRun),
        },

  'no-pool': ({ listens, pool, target }) =>
    listens === null || pool !== null
      ? null
      : {
          what:
            listens.length === 0
              ? 'there is no pool in the configuration'
              : `no pool of the configuration listens at ${target.name} (they do at ${listens.join(', ') || 'nothing'})`,
          why: 'something stands in between, or it is not the configuration of this php-fpm: the other findings may be of another one',
          change: 'ADDRESS: an address that php-fpm itself listens at',
        },

  'not-fpm': ({ live }) =>
    live === null || live.sapi === 'fpm-fcgi'
      ? null
      : {
          what: `this is PHP as ${live.sapi}, and not PHP-FPM`,
          why: 'what is known of PHP-FPM proves nothing here',
          change: "backend: 'generic'",
        },

  proxy: ({ direct }) =>
    direct !== false
      ? null
      : {
          what: 'PHP does not see our connection: a TCP proxy stands in between (HAProxy, docker-proxy, a service mesh)',
          why: 'what the sockets show is the proxy: a lost request could be taken for one that never ran',
          change: 'proxied: true (--proxied), or the address of php-fpm itself',
        },

  'kubernetes-service': ({ target }) =>
    target.transport !== 'tcp' || !/\.svc(?:\.[\w.-]+)?$/.test(target.host)
      ? null
      : {
          what: `${target.host} is the address of a Kubernetes Service: one for all its pods`,
          why: 'a kept connection stays with one pod, so that load and failures are those of a pod that nobody can tell from the others',
          change: `clusterIP: None for the Service, and new Upstream([{ address: '${target.name}' }], { resolve: true })`,
        },

  children: ({ pool, connections, processes }) => {
    const children = Number(pool?.settings['pm.max_children'] ?? Number.NaN);
    const wanted = connections * processes;
    if (!(children < wanted)) return null;
    return {
      what: `pm.max_children = ${children}, and ${processes} process${processes === 1 ? '' : 'es'} of ours open${processes === 1 ? 's' : ''} up to ${wanted} connections`,
      why: 'each connection takes a worker: those beyond wait where no limit of the queue counts them',
      change:
        children >= processes
          ? `pm.max_children = ${wanted}, or connections: ${Math.floor(children / processes)}`
          : `pm.max_children = ${wanted}`,
    };
  },

  'max-requests': ({ pool }) => {
    const most = Number(pool?.settings['pm.max_requests'] ?? 0);
    if (!(most > 0 && most < 100)) return null;
    return {
      what: `pm.max_requests = ${most}`,
      why: 'a worker is replaced after so many requests: at each time a new process, and about one request sent again',
      change: 'pm.max_requests = 1000',
    };
  },

  'terminate-timeout': ({ pool }) => {
    const limit = secondsOf(pool?.settings['request_terminate_timeout'] ?? '0');
    if (limit === null || limit === 0) return null;
    if (limit <= 1)
      return {
        what: `request_terminate_timeout = ${limit}s`,
        why: 'it counts the time in which a kept connection is idle, too: a script is killed sooner than that',
        change: 'request_terminate_timeout = 30s',
      };
    if (limit <= HEADERS_TIMEOUT) return null;
    return {
      what: `request_terminate_timeout = ${limit}s is longer than headersTimeout (${HEADERS_TIMEOUT} s)`,
      why: 'the pool gives up first, and the script goes on without anybody who waits for it',
      change: `headersTimeout: ${limit * 1000}`,
    };
  },

  'control-timeout': ({ pool }) =>
    (secondsOf(pool?.settings['process_control_timeout'] ?? '') ?? 1) > 0
      ? null
      : {
          what: 'process_control_timeout = 0',
          why: 'a reload kills scripts in the middle: their requests fail, as they may have run',
          change: 'process_control_timeout = 10s (in [global])',
        },

  backlog: ({ pool, somaxconn, connections, processes }) => {
    if (pool === null) return null;
    const backlog = Number(pool.settings['listen.backlog'] ?? 511);
    const wanted = connections * processes;
    if (backlog >= 0 && backlog < wanted)
      return {
        what: `listen.backlog = ${backlog}, and up to ${wanted} connections may wait`,
        why: 'those beyond are refused (unix sockets) or hang (tcp)',
        change: 'listen.backlog = 511',
      };
    if (somaxconn === null || backlog <= somaxconn) return null;
    return {
      what: `listen.backlog = ${backlog}, and net.core.somaxconn is ${somaxconn}`,
      why: 'the kernel cuts it to the smaller one, and says nothing',
      change: `sysctl net.core.somaxconn=${backlog}`,
    };
  },

  'socket-open': ({ socketMode, pool }) =>
    socketMode === null || (socketMode & 0o002) === 0
      ? null
      : {
          what: `every user of this machine may write to the socket (mode 0${(socketMode & 0o777).toString(8)})`,
          why: 'who can, runs any PHP file, with any php.ini setting, as the user of this php-fpm',
          change: `listen.mode = 0660, listen.group = the group of Node.js${pool === null ? '' : ` (in [${pool.name}])`}`,
        },

  'open-to-all': ({ pool, target }) => {
    if (pool === null || target.transport === 'unix') return null;
    const { listen = '', 'listen.allowed_clients': allowed = '' } = pool.settings;
    if (allowed !== '' || /^(?:127\.|localhost:|\[::1\])/.test(listen)) return null;
    return {
      what: `php-fpm listens at ${listen} for everybody who can reach it`,
      why: 'who can, runs any PHP file, with any php.ini setting, as the user of this php-fpm',
      change: 'listen = 127.0.0.1:9000, or listen.allowed_clients = the addresses of Node.js',
    };
  },

  'status-listen': ({ pool }) =>
    pool === null || !pool.settings['pm.status_path'] || pool.settings['pm.status_listen']
      ? null
      : {
          what: `pm.status_path = ${pool.settings['pm.status_path']}, without pm.status_listen`,
          why: 'the page needs a free worker: it does not answer when it is needed most',
          change: 'pm.status_listen = 127.0.0.1:9001',
        },

  'limit-extensions': ({ pool, live }) => {
    const limited = pool?.settings['security.limit_extensions'];
    if (limited === undefined || limited !== '') return null;
    const fixes = !isOff(live?.ini['cgi.fix_pathinfo']);
    return {
      what: `security.limit_extensions is empty${fixes ? ', and cgi.fix_pathinfo is on' : ''}`,
      why: fixes
        ? 'an uploaded /avatar.jpg is run as PHP by a request for /avatar.jpg/x.php'
        : 'any file is run as PHP, whatever its name',
      change: 'security.limit_extensions = .php',
    };
  },

  'post-data': ({ live }) => {
    const given = live?.ini['post_max_size'] ?? '';
    const size = quantityOf(given);
    const unread = isOff(live?.ini['enable_post_data_reading']);
    if (!unread && (size <= 0 || size >= MOST_READ_BEFORE_SCRIPT)) return null;
    // 8MB looks like more than it is
    const meant = given === String(size) ? '' : `, which PHP takes for ${size} bytes`;
    return {
      what: unread ? 'enable_post_data_reading = Off' : `post_max_size = ${given}${meant}`,
      why: 'scripts start before their body is here: a lost connection proves nothing, and the pool must be told so',
      change: unread
        ? 'postDataReading: 0, or enable_post_data_reading = On'
        : `postDataReading: ${size}, or post_max_size = 8M`,
    };
  },

  'body-size': ({ live }) => {
    const post = quantityOf(live?.ini['post_max_size'] ?? '');
    const file = quantityOf(live?.ini['upload_max_filesize'] ?? '');
    if (post <= 0 || file <= post) return null;
    return {
      what: `upload_max_filesize = ${live?.ini['upload_max_filesize']} is more than post_max_size = ${live?.ini['post_max_size']}`,
      why: 'larger files are lost without an error: PHP starts the script with empty $_POST and $_FILES',
      change: `post_max_size = ${live?.ini['upload_max_filesize']}`,
    };
  },

  'temp-folder': ({ live }) => {
    if (live === null || (live.tmpWritable && live.uploads)) return null;
    return live.tmpWritable
      ? {
          what: `open_basedir does not allow ${live.tmp}`,
          why: 'uploaded files go there first: PHP drops them (UPLOAD_ERR_NO_TMP_DIR)',
          change:
            'upload_tmp_dir = a folder that the user of php-fpm may write to, such as one within open_basedir',
        }
      : {
          what: `PHP cannot write to ${live.tmp}`,
          why: 'a body of more than 16 KiB goes there first: without, the script starts with a part of it',
          change: 'sys_temp_dir = a folder that the user of php-fpm may write to',
        };
  },

  opcache: ({ live }) =>
    live === null || live.opcache
      ? null
      : {
          what: 'the opcache is off',
          why: 'each request compiles each of its files anew, which costs most of its time',
          change: 'zend_extension=opcache, opcache.enable=1',
        },

  'linked-root': ({ linkedRoot, live }) => {
    if (linkedRoot === null || live === null || !live.opcache) return null;
    return {
      what: `the document root ${linkedRoot} is a symbolic link, and scripts are named by it`,
      why: 'behind a deploy PHP goes on running the files that the link led to, out of its realpath and op caches',
      change:
        'root: the folder that the link leads to, at each deploy; or fastcgi-pool opcache reset ADDRESS behind it',
    };
  },
};

/** Who had a connection need not look for the address and its permissions. */
function changeToReach({ code, phase }: Unreachable, { transport }: Target): string {
  if (phase === 'queued' || phase === 'connecting')
    return 'listen = the address that is given here; listen.owner, listen.group and listen.mode so that Node.js may open it';
  if (code === 'FCGI_ERR_TIMEOUT')
    return 'pm.max_children = more, where all workers are busy; php-fpm started anew, where they hang; --timeout, where scripts take longer';
  if (code === 'FCGI_ERR_SOCKET_CLOSED' || code === 'FCGI_ERR_SOCKET_RESET')
    return `${transport === 'tcp' ? 'listen.allowed_clients = the address of this host, too; ' : ''}error_log of php-fpm says why a worker has died`;
  return 'ADDRESS: that of `listen` in the configuration of php-fpm';
}

/** `notRun`: as runScript() says it. */
function changeToAsk(notRun: string): string {
  if (notRun.includes('security.limit_extensions')) return 'security.limit_extensions = .php';
  if (notRun.includes(UNFINISHED))
    return 'what the message names: disable_functions, auto_prepend_file or another setting of php.ini or of the pool';
  return '--dir DIR, a folder that php-fpm can read';
}

/** In the order of the checks. */
export function findings(facts: Facts): Finding[] {
  return Object.entries(checks).flatMap(([id, check]) => {
    const found = check(facts);
    return found === null ? [] : [{ id, ...found }];
  });
}
