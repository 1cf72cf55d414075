<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

// As a front controller this script is given every path that is no file: those have no page here.
$path = parse_url($_SERVER['REQUEST_URI'] ?? '/', PHP_URL_PATH);
if ($path !== '/' && $path !== '/index.php') {
    http_response_code(404);
    page_start('Page not found', 'There is nothing at this address. PHP itself says so, with status 404.');
    echo facts(['You asked for' => is_string($path) ? rawurldecode($path) : 'an address that is none']);
    echo '<p><a class="button" href="/">Back to the start</a></p>';
    page_end();
    exit;
}

$by = served_by();
page_start('PHP pages over kept connections', 'Node.js answers your browser and asks PHP-FPM for every page, over FastCGI connections that stay open. No request is lost when a worker is recycled, and none runs twice.');
?>
<section aria-labelledby="this">
<h2 id="this">This very page</h2>
<?= facts([
    'PHP-FPM worker' => $by['worker'],
    'Requests this worker has served' => $by['served'] ?? 'unknown',
    'FastCGI socket' => $by['socket'] ?? 'unknown',
    'Your browser' => ($_SERVER['REMOTE_ADDR'] ?? '?') . ', port ' . ($_SERVER['REMOTE_PORT'] ?? '?'),
    'Server' => $_SERVER['SERVER_SOFTWARE'] ?? 'unknown',
    'PHP' => PHP_VERSION . ' (' . PHP_SAPI . ')',
]) ?>
<p>A connection is kept while requests follow each other, and given back soon after: as long as it is open, it holds a worker. <a href="/workers.php">Send twenty requests</a> to see the same sockets again and again.</p>
<p>With <code>fastcgi-pool serve</code>, <a href="/-/fastcgi-pool">the status page</a> shows what goes on here, live, to whoever sits at this machine.</p>
</section>

<section aria-labelledby="try">
<h2 id="try">Try it</h2>
<ul class="cards">
  <li><a href="/workers.php"><b>Workers</b><span>Send twenty requests and see who answers</span></a></li>
  <li><a href="/slow.php"><b>Slow</b><span>A page of seconds, and quick ones beside it</span></a></li>
  <li><a href="/stream.php"><b>Stream</b><span>A page that arrives piece by piece</span></a></li>
  <li><a href="/files.php"><b>Files</b><span>Whole, in part, or never sent</span></a></li>
  <li><a href="/form.php"><b>Form</b><span>POST, any characters, safe against forgery</span></a></li>
  <li><a href="/upload.php"><b>Upload</b><span>A file with a preview, and its limits</span></a></li>
  <li><a href="/session.php"><b>Session</b><span>Notes that PHP keeps between requests</span></a></li>
  <li><a href="/cookie.php"><b>Cookie</b><span>Two Set-Cookie headers, counted visits</span></a></li>
  <li><a href="/route.php/hello/world?from=home"><b>Routes</b><span>One script, many paths: PATH_INFO</span></a></li>
  <li><a href="/log.php"><b>Log</b><span>What PHP complains of, in the terminal</span></a></li>
  <li><a href="/no/such/page"><b>Not found</b><span>A 404 that PHP words itself</span></a></li>
</ul>
</section>

<section aria-labelledby="code">
<h2 id="code">The same in your own server</h2>
<pre tabindex="0" aria-label="Example in JavaScript"><code>import { createServer } from 'node:http';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';

const fpm = new Pool('unix:/run/php/php-fpm.sock');
const php = createHandler(fpm, { root: '/srv/app/public', index: 'index.php' });

createServer(php).listen(8080);</code></pre>
</section>
<?php
page_end();
