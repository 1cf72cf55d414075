/** The status page: one document without anything from elsewhere, which renews its parts by server-sent events. */
import { Html, html } from './html.ts';
import { SCRIPT } from './live.ts';
import type { StatusReport } from './report.ts';
import { sectionsOf } from './sections.ts';
import { STYLE } from './style.ts';

/** `nonce`: of the Content-Security-Policy, which lets nothing else run or be styled. */
export function pageOf(report: StatusReport, nonce: string): string {
  const parts = Object.entries(sectionsOf(report)).map(
    ([id, part]) => html`<section id="${id}">${new Html(part)}</section>
`,
  );
  const addresses = report.servers.map(({ address }) => address).join(', ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>fastcgi-pool: ${addresses}</title>
<style nonce="${nonce}">${new Html(STYLE)}</style>
</head>
<body>
<header><h1>fastcgi-pool</h1><p><span id="live">as of ${report.time.slice(11, 19)} UTC</span> <a href="?json">JSON</a></p></header>
<main>
${parts}</main>
<footer><p>Scripts, messages, retries and states are noted while somebody looks, here since ${report.since.slice(11, 19)} UTC. Times of answers are of the last minute; the rest counts since the start.${processes(report)}</p></footer>
<script nonce="${nonce}">${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}

function processes({ processes: count }: StatusReport): string {
  return count === 1
    ? ''
    : ` All this is of ${count} processes together; the times of answers are those of the slowest.`;
}

export function policy(nonce: string): string {
  const own = `'nonce-${nonce}'`;
  return `default-src 'none'; style-src ${own}; script-src ${own}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
