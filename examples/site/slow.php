<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

/** At the most: whoever asks holds a worker for so long. */
const LONGEST = 5_000;

$asked = $_GET['ms'] ?? null;
$ms = is_string($asked) && ctype_digit($asked) ? min((int) $asked, LONGEST) : 0;
usleep($ms * 1000);
if (isset($_GET['json'])) {
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode(served_by(), JSON_THROW_ON_ERROR);
    exit;
}

page_start('Slow', 'A page that waits for a database holds one worker for as long. The others go on: nobody waits behind it.', ['/assets/slow.js']);
if ($ms > 0) {
    echo notice('good', 'PHP has slept for ' . e(number_format($ms)) . ' ms in this page.');
}
?>
<form class="row" id="start" method="get" action="/slow.php">
  <label>It takes
    <select name="ms"><option value="500">half a second<option value="2000" selected>two seconds<option value="5000">five seconds</select>
  </label>
  <button>Ask for it</button>
</form>
<p id="summary" role="status" aria-live="polite"></p>
<div id="squares" class="squares" aria-hidden="true"></div>
<p class="hint">While it runs, your browser asks for quick pages, one after the other; each square is one, coloured by the worker that served it.</p>
<?php
page_end();
