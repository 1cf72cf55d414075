<?php
declare(strict_types=1);

/** What every page of the demo shares. Functions only: asked for by itself, this file prints nothing. */

const PAGES = [
    '/' => 'Home',
    '/workers.php' => 'Workers',
    '/slow.php' => 'Slow',
    '/stream.php' => 'Stream',
    '/files.php' => 'Files',
    '/form.php' => 'Form',
    '/upload.php' => 'Upload',
    '/session.php' => 'Session',
    '/cookie.php' => 'Cookie',
    '/route.php/hello/world' => 'Routes',
    '/log.php' => 'Log',
];

/** Text made safe for HTML, attribute values included. */
function e(string|int|float|null $text): string
{
    return htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}

function method(): string
{
    return $_SERVER['REQUEST_METHOD'] ?? 'GET';
}

/** A field of a form as a string: a visitor may send an array under any name. */
function field(string $name, int $max = 2000): string
{
    $value = $_POST[$name] ?? '';
    return is_string($value) ? cut(trim($value), $max) : '';
}

/** At most $max bytes, never half a character; without mbstring, which need not be installed. */
function cut(string $text, int $max): string
{
    return strlen($text) <= $max ? $text : (string) preg_replace('/[\xC0-\xFF][\x80-\xBF]*$/', '', substr($text, 0, $max));
}

/**
 * Who serves this request: the worker's process id, how many requests it has served so far, and the inode of the
 * socket the request came over (it stays the same as long as the connection is kept). Null is unknown.
 */
function served_by(): array
{
    $served = null;
    $status = function_exists('fpm_get_status') ? fpm_get_status() : false;
    foreach ($status['procs'] ?? [] as $proc) {
        if ($proc['pid'] === getmypid()) {
            $served = $proc['requests'];
        }
    }
    return ['worker' => getmypid(), 'served' => $served, 'socket' => fastcgi_socket()];
}

/** The inode of the connection to this worker, as Linux shows it: the one established socket the worker has. */
function fastcgi_socket(): ?int
{
    $own = [];
    foreach (@scandir('/proc/self/fd', SCANDIR_SORT_NONE) ?: [] as $fd) {
        if (preg_match('/^socket:\[(\d+)]$/', (string) @readlink("/proc/self/fd/$fd"), $match)) {
            $own[] = $match[1];
        }
    }
    // A unix socket is established in state 03, and has a path at the server's end; a TCP one in state 01.
    $tables = [
        '/proc/net/unix' => '/ 03 +(\d+) \S/',
        '/proc/net/tcp' => '/: \S+ \S+ 01 \S+ \S+ \S+ +\d+ +\d+ (\d+) /',
        '/proc/net/tcp6' => '/: \S+ \S+ 01 \S+ \S+ \S+ +\d+ +\d+ (\d+) /',
    ];
    foreach ($own === [] ? [] : $tables as $table => $pattern) {
        preg_match_all($pattern, (string) @file_get_contents($table), $matches);
        foreach (array_intersect($own, $matches[1]) as $inode) {
            return (int) $inode;
        }
    }
    return null;
}

/** Sessions live where php.ini says; `npm run demo` names a folder that goes when it ends. */
function start_session(): void
{
    session_name('demo');
    session_start([
        'use_strict_mode' => true,
        'cookie_httponly' => true,
        'cookie_samesite' => 'Lax',
        'cookie_secure' => ($_SERVER['HTTPS'] ?? '') === 'on',
    ]);
    $_SESSION['token'] ??= bin2hex(random_bytes(16));
}

/** The hidden field that proves a form came from this site. */
function token_field(): string
{
    return '<input type="hidden" name="token" value="' . e($_SESSION['token']) . '">';
}

/** Whether the form that was sent carries the session's token; answers 403 where it does not. */
function token_matches(): bool
{
    $given = $_POST['token'] ?? null;
    if (is_string($given) && hash_equals($_SESSION['token'], $given)) {
        return true;
    }
    http_response_code(403);
    return false;
}

/** So that reloading the page does not send the form again. */
function see_other(string $path): never
{
    header("Location: $path", true, 303);
    exit;
}

function notice(string $kind, string $html): string
{
    $role = $kind === 'error' ? 'alert' : 'status';
    return "<p class=\"notice $kind\" role=\"$role\">$html</p>";
}

/** A list of names and values; both are escaped here. */
function facts(array $facts): string
{
    $html = '';
    foreach ($facts as $name => $value) {
        $html .= '<div><dt>' . e($name) . '</dt><dd>' . e($value) . '</dd></div>';
    }
    return "<dl class=\"facts\">$html</dl>";
}

function page_start(string $title, string $lead = '', array $scripts = []): void
{
    header('Content-Type: text/html; charset=utf-8');
    header("Content-Security-Policy: default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    header('X-Content-Type-Options: nosniff');
    header('Referrer-Policy: same-origin');
    header('Cache-Control: no-store');
    $here = $_SERVER['SCRIPT_NAME'] ?? '/';
    ?>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title><?= e($title) ?> · fastcgi-pool demo</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/site.css">
<?php foreach ($scripts as $script): ?>
<script src="<?= e($script) ?>" type="module"></script>
<?php endforeach ?>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
  <a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="28" height="28">fastcgi-pool <span>demo</span></a>
  <nav aria-label="Pages">
    <ul>
<?php foreach (PAGES as $path => $name):
    $current = $path === '/' ? $here === '/index.php' : str_starts_with($path, $here); ?>
      <li><a href="<?= e($path) ?>"<?= $current ? ' aria-current="page"' : '' ?>><?= e($name) ?></a></li>
<?php endforeach ?>
    </ul>
  </nav>
</header>
<main id="main">
<h1><?= e($title) ?></h1>
<?php if ($lead !== ''): ?>
<p class="lead"><?= e($lead) ?></p>
<?php endif;
}

function page_end(): void
{
    $by = served_by();
    $ms = (microtime(true) - ($_SERVER['REQUEST_TIME_FLOAT'] ?? microtime(true))) * 1000;
    ?>
</main>
<footer>
  <p>
    Worker <b><?= e($by['worker']) ?></b><?php
    if ($by['served'] !== null): ?>, its request no. <b><?= e($by['served']) ?></b><?php endif;
    if ($by['socket'] !== null): ?>, over the socket <b><?= e($by['socket']) ?></b><?php endif ?>,
    in <b><?= e(number_format($ms, 1)) ?> ms</b>. PHP <?= e(PHP_VERSION) ?>.
  </p>
</footer>
</body>
</html>
<?php
}
