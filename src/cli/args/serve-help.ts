/** What `serve --help` says. */

export const serveHelp = `Usage: fastcgi-pool serve [DOCROOT] [options]

Serves a PHP application over HTTP: files in DOCROOT (default: the current
folder) as they are, *.php through PHP-FPM over kept connections.

  --listen PLACE           where to listen (default 127.0.0.1:8080), repeatable:
                           HOST:PORT (port 0: any free one), unix:/path, or
                           http:// or https:// and HOST:PORT
  --listen-mode MODE       permissions of unix sockets, such as 0660
  --workers N              processes that share the work (default 1)
  --dev                    the application's own Vite answers what is no script
                           and no file, before the front controller does
  --config FILE            a JSON file, or a module (.mjs) that exports such an
                           object: these options, and several sites by host name

  --upstream ADDRESS       a PHP-FPM that runs already; more than one share the
                           load. 'ADDRESS weight=2 max_fails=3 fail_timeout=10s
                           max_conns=8 slow_start=30s backup down' are nginx's
                           parameters. Without it a private php-fpm is started
  --connections N          connections to each PHP-FPM at most, and children of
                           the private one (default 8)
  --backend KIND           php-fpm, or generic: a FastCGI server that is no
                           PHP-FPM (default: the pool finds out)
  --proxied                a TCP proxy stands in front of PHP-FPM
  --post-data-reading BYTES
                           of a POST that PHP reads before its script starts:
                           0 where php.ini has enable_post_data_reading = 0,
                           post_max_size where that is below 16k, else 16k;
                           once it is said, no POST that is lost runs twice
  --headers-timeout S      how many seconds a script may take until its head is
                           there (default 60; 0: no limit); so may the others:
  --body-timeout S         between two pieces of its page (default 60)
  --queue-timeout S        waiting for a connection that is free (default 30)
  --connect-timeout S      connecting (default 5)
  --index NAME             served for a folder (default index.php); index.html
                           comes next
  --front-controller PATH  gets what is neither file, folder nor script, such
                           as /index.php (nginx's try_files $uri $uri/ PATH)
  --fpm-root DIR           DOCROOT as PHP-FPM sees it, in another container say
  --resolve-root-symlink   DOCROOT is a link to a release, or goes through one:
                           PHP is told the real path (nginx's $realpath_root),
                           so that it runs the new release at once
  --allow-symlinks-to DIR  links out of DOCROOT may lead here (repeatable)
  --allow-files ENDING     files that end so are sent although their names look
                           like source, configuration or a copy: .yaml or
                           /install.sh, say (repeatable)
  --cache-control VALUE    of files, such as 'public, max-age=3600' (default:
                           none is said)
  --param NAME=VALUE       set in $_SERVER, as by nginx's fastcgi_param (may be
                           repeated); SERVER_SOFTWARE=nginx, say, so that
                           WordPress offers permalinks without /index.php/ and
                           Moodle agrees to be installed
  --allow-control-params   --param may be one that PHP-FPM obeys, such as
                           PHP_VALUE
  --trusted-proxy ADDRESS  believe X-Forwarded-For and -Proto from this address
                           or network, such as 10.0.0.0/8; unix: from all that
                           come by a unix socket (repeatable)
  --max-body BYTES         larger requests get 413: 512k, 64m, 2g (default 128m;
                           0: no limit)
  --response-buffering BYTES
                           of a page that are taken from PHP before its client
                           has read them, so that a slow one holds no worker
                           (default 1m); off: PHP waits for it
  --max-temp-file-size BYTES
                           of a longer page that go to a file in TMPDIR, before
                           PHP has to wait for its client (default 0: none;
                           nginx: 1g)
  --on-client-abort DO     close (default), or finish: a script whose client has
                           left runs to its end, also if it still waits for a
                           connection, as WordPress' wp-cron.php may
  --compress               gzip or brotli for those who accept it

  --tls-cert FILE          HTTPS and HTTP/2 with this certificate (PEM, with its
  --tls-key FILE           chain) and its key; not at http:// and unix: places
  --tls                    the same with a certificate of its own for localhost
                           (needs the npm package selfsigned)

  --keepalive-timeout S    how many seconds a connection is kept on which nobody
                           asks for anything (default 75; 0: no limit): longer
                           than the proxy in front keeps it
  --drain-timeout SECONDS  how long requests may go on after the first signal
                           (default 30; 0: no limit)
  --access-log FILE        instead of stdout; SIGUSR1 opens it anew
  --log-format FORMAT      of the access log: combined (default), nginx's; or
                           json: the times, the attempts, the server and PHP's
                           messages as well
  --quiet                  no access log
  --status PATH            where who sits at this machine sees how all is doing
                           (default /-/fastcgi-pool); off: nowhere
  --fpm-status PATH        pm.status_path of the upstreams: their own status is
                           shown there as well, and to nobody else
  --check                  only see whether all is well: exit with 0 if it is;
                           somebody may listen at the places already

For the private php-fpm, without --upstream:
  --fpm PROGRAM            default: the newest php-fpm found in PATH, the sbin
                           folders and /opt; where there is none, php-cgi
  --php VERSION            such as 8.3, where several are installed
  --user NAME              who runs PHP, when started as root (default: the
                           owner of DOCROOT; where that is root, www-data if it
                           can read DOCROOT, else root)
  --ini NAME=VALUE         a php.ini setting, such as upload_max_filesize=1G
                           (repeatable); the value is taken as it is

The URL goes to stdout in one line when all is ready, then the access log. What
PHP and php-fpm complain about goes to stderr. Never sent: source and copies of
it, configuration, keys, logs and dumps, names that begin with a dot (except
.well-known), and what a symbolic link leads to outside DOCROOT.
As with nginx, .htaccess files have no effect, those that deny access included.

PHP sees the environment of this command. SIGTERM, SIGINT, SIGHUP and SIGQUIT
finish the requests in progress, then exit with 0; a second one ends at once.
SIGUSR1 opens the access log anew and reads the certificate again. Sockets that
systemd hands over (LISTEN_FDS) are listened at in place of the default.
`;
