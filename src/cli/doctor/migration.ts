/**
 * nginx's directives and ours: what `doctor --nginx-conf` prints, and the table in docs/operations.md. Each row reads the
 * arguments of its directive; where it gives nothing, the note says why.
 */

import { count, flag, nextUpstream, nothing, quoted, scriptIn, server, size, time } from './nginx-values.ts';

export interface Row {
  readonly directive: string;
  /** As the table names it. */
  readonly ours: string;
  readonly note: string;
  /** Where our option belongs. */
  readonly to: 'server' | 'pool' | 'gateway' | 'none';
  /** Options by name, as they are written in JavaScript. */
  readonly read: (args: readonly string[]) => Readonly<Record<string, string>>;
}

export const migration: readonly Row[] = [
  {
    directive: 'server',
    ours: '`address`, `weight`, `maxFails`, `failTimeout`, `maxConns`, `slowStart`, `backup`, `down`',
    note: 'of an `Upstream`; with one server a `Pool` will do',
    to: 'server',
    read: server,
  },
  {
    directive: 'fastcgi_pass',
    ours: '`new Pool(address)`',
    note: 'or the servers of the `upstream` that it names',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'keepalive',
    ours: '`keepalive`',
    note: 'nginx counts for each worker process and all servers, we for each server; `connections` is the most that are open',
    to: 'pool',
    read: count('keepalive'),
  },
  {
    directive: 'keepalive_requests',
    ours: '`keepaliveRequests`',
    note: '',
    to: 'pool',
    read: count('keepaliveRequests'),
  },
  {
    directive: 'keepalive_time',
    ours: '`keepaliveTime`',
    note: 'leave it out: the lease that is learned gives each waiting process its turn',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'keepalive_timeout',
    ours: '`keepaliveTimeout`',
    note: 'leave it out: an idle connection holds a worker, and is kept for as long as that pays',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_keep_conn',
    ours: '`keepalive`',
    note: 'on by default; `keepalive: 0` is off',
    to: 'pool',
    read: ([value]): Readonly<Record<string, string>> => (value === 'off' ? { keepalive: '0' } : {}),
  },
  {
    directive: 'least_conn',
    ours: "`balance: 'least-conn'`",
    note: 'the default',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'random',
    ours: "`balance: 'random-two'`",
    note: '',
    to: 'pool',
    read: () => ({ balance: "'random-two'" }),
  },
  {
    directive: 'hash',
    ours: "`balance: 'hash'`, `hashKey`",
    note: 'the key is a function of the request',
    to: 'pool',
    read: () => ({ balance: "'hash'" }),
  },
  {
    directive: 'ip_hash',
    ours: "`balance: 'hash'`",
    note: 'by REMOTE_ADDR, as without `hashKey`',
    to: 'pool',
    read: () => ({ balance: "'hash'" }),
  },
  {
    directive: 'zone',
    ours: '-',
    note: 'each Node.js process knows its own servers',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'resolver',
    ours: '`resolve: true`',
    note: 'names are looked up by the system; `nameservers` for others',
    to: 'pool',
    read: () => ({ resolve: 'true' }),
  },
  {
    directive: 'fastcgi_connect_timeout',
    ours: '`connectTimeout`',
    note: 'refusals are tried again within it',
    to: 'pool',
    read: time('connectTimeout'),
  },
  {
    directive: 'fastcgi_send_timeout',
    ours: '`headersTimeout`',
    note: 'a server that takes nothing for that long has failed as well',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_read_timeout',
    ours: '`headersTimeout`, `bodyTimeout`',
    note: 'until the head, and between two pieces of the body',
    to: 'pool',
    read: (args) => ({ ...time('headersTimeout')(args), ...time('bodyTimeout')(args) }),
  },
  {
    directive: 'fastcgi_next_upstream',
    ours: '`retry`',
    note: "without `non_idempotent`: `'idempotent'`. The default, `'unexecuted'`, is stricter with what may have run, and sends POSTs again that have provably not",
    to: 'pool',
    read: nextUpstream,
  },
  {
    directive: 'fastcgi_next_upstream_tries',
    ours: '`tries`',
    note: 'nginx: 0 is no limit',
    to: 'pool',
    read: ([text = '']): Readonly<Record<string, string>> => (/^[1-9]\d*$/.test(text) ? { tries: text } : {}),
  },
  {
    directive: 'fastcgi_next_upstream_timeout',
    ours: '`retryTimeout`',
    note: '',
    to: 'pool',
    read: time('retryTimeout'),
  },
  {
    directive: 'fastcgi_buffer_size',
    ours: '`maxHeaderSize`',
    note: 'the default, 64 KiB, is enough for most',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_buffers',
    ours: '`responseBuffering`',
    note: 'in bytes; what is more goes to a file, as far as `maxTempFileSize` allows; `xAccelRedirect` for downloads',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_buffering',
    ours: '`responseBuffering`',
    note: '`false` is off',
    to: 'gateway',
    read: flag('off', { responseBuffering: 'false' }),
  },
  {
    directive: 'fastcgi_max_temp_file_size',
    ours: '`maxTempFileSize`',
    note: 'nginx: 1 GiB where nothing is said; here none, and PHP waits for the client of a page that is longer than `responseBuffering`',
    to: 'gateway',
    read: size('maxTempFileSize'),
  },
  {
    directive: 'fastcgi_temp_path',
    ours: '`spoolFolder`',
    note: 'a folder in which this process may write, and on a disk: `/tmp` is memory on many machines',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_request_buffering',
    ours: '`requestBuffering`',
    note: 'by default a body is read to its end before PHP is asked, as by nginx',
    to: 'gateway',
    read: flag('off', { requestBuffering: 'false' }),
  },
  {
    directive: 'client_max_body_size',
    ours: '`maxBodySize`',
    note: '',
    to: 'gateway',
    read: size('maxBodySize'),
  },
  {
    directive: 'root',
    ours: '`root`',
    note: '',
    to: 'gateway',
    read: ([text = '']): Readonly<Record<string, string>> =>
      text.includes('$') || !text.startsWith('/') ? {} : { root: quoted(text) },
  },
  {
    directive: 'fastcgi_index',
    ours: '`index`',
    note: '',
    to: 'gateway',
    read: ([text = '']): Readonly<Record<string, string>> =>
      /^[^/.][^/]*$/.test(text) ? { index: quoted(text) } : {},
  },
  {
    directive: 'try_files',
    ours: '`frontController`',
    note: 'its last argument, where that is a script; `tryFiles` for `$uri.php`',
    to: 'gateway',
    read: (args): Readonly<Record<string, string>> => {
      const last = scriptIn(args.at(-1) ?? '');
      return last === null ? {} : { frontController: quoted(last.script) };
    },
  },
  {
    directive: 'fastcgi_split_path_info',
    ours: '-',
    note: 'a path is split behind the first existing script',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_param',
    ours: '`params`',
    note: 'only those of your own: CGI and HTTP params are made; where SCRIPT_FILENAME begins with `$realpath_root`, `resolveRootSymlink`',
    to: 'gateway',
    read: ([name, value = '']): Readonly<Record<string, string>> =>
      name === 'SCRIPT_FILENAME' && /^\$(?:\{realpath_root\}|realpath_root\b)/.test(value)
        ? { resolveRootSymlink: 'true' }
        : {},
  },
  {
    directive: 'fastcgi_intercept_errors',
    ours: '`interceptErrors`, `errorPage`',
    note: 'the second is a function that makes the page; by default PHP’s pages go out as they are',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_ignore_client_abort',
    ours: "`onClientAbort: 'finish'`",
    note: 'by default a script that has begun to answer a client who has left ends with its next output, as with nginx; one that has not may run for as long as it usually takes',
    to: 'gateway',
    read: flag('on', { onClientAbort: "'finish'" }),
  },
  {
    directive: 'fastcgi_hide_header',
    ours: '-',
    note: '`expose_php = Off` in php.ini for X-Powered-By; others are taken away by a middleware in front, as with `on-headers`',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'fastcgi_cache',
    ours: '-',
    note: 'a cache in front: there is none here',
    to: 'none',
    read: nothing,
  },
  {
    directive: 'set_real_ip_from',
    ours: '`trustedProxies`',
    note: 'addresses and networks',
    to: 'none',
    read: nothing,
  },
];
