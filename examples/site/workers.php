<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

if (isset($_GET['json'])) {
    // A little work, so that requests sent together need several workers.
    usleep(15_000);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode(served_by(), JSON_THROW_ON_ERROR);
    exit;
}

page_start('Workers', 'Your browser sends requests; each square is one, coloured by the worker that served it.', ['/assets/workers.js']);
?>
<form class="row" id="send" hidden>
  <label>Requests
    <select name="count"><option>20<option>60<option>200</select>
  </label>
  <label>At the same time
    <select name="together"><option>1<option selected>4<option>20</select>
  </label>
  <button>Send them</button>
</form>
<noscript><p class="notice">This page counts with JavaScript, which is switched off.</p></noscript>
<p id="summary" role="status" aria-live="polite"></p>
<div id="squares" class="squares" aria-hidden="true"></div>
<div class="scroll" tabindex="0" role="region" aria-labelledby="caption">
<table id="table" hidden>
  <caption id="caption">Who served them</caption>
  <thead><tr><th scope="col">Worker<th scope="col">Sockets<th scope="col">Requests<th scope="col" class="wide">Share</tr></thead>
  <tbody></tbody>
</table>
</div>
<p class="hint">Each request takes PHP about 15 ms. One after another they go to few warm workers; sent together they spread over as many as there are. Either way there are fewer sockets than requests.</p>
<?php
page_end();
