<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>PHP and Vite</title>
<script type="module" src="/@vite/client"></script>
<script type="module" src="/src/main.js"></script>
<h1>PHP <?= PHP_VERSION ?> at <?= htmlspecialchars($_SERVER['REQUEST_URI']) ?></h1>
<p id="vite">Vite has not come yet.</p>
