<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

page_start('Files', 'What is no script is sent as it is, by the same judge that finds the scripts: whole, in part, or not at all.', ['/assets/files.js']);
?>
<p>Your browser asks for these now. PHP hears of none of them.</p>
<noscript><p class="notice">This page asks with JavaScript, which is switched off. <a href="/assets/site.css">The stylesheet</a> is such a file.</p></noscript>
<div class="scroll" tabindex="0" role="region" aria-labelledby="caption">
<table id="asked" aria-live="polite">
  <caption id="caption">Asked, and answered</caption>
  <thead><tr><th scope="col">What<th scope="col">Path<th scope="col">Status<th scope="col">Bytes<th scope="col">And</tr></thead>
  <tbody></tbody>
</table>
</div>
<p class="hint"><code>/index.php.bak</code> is there, next to this page. What may be source, a secret or a copy that an editor has left is never sent.</p>
<?php
page_end();
