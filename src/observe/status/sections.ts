/** The parts of the status page, each made from a report; the page replaces those that have changed. */
import { durationOf, numberOf, rateOf } from './format.ts';
import { Html, html, type Piece } from './html.ts';
import type { FpmReport, ServerReport, StatusReport } from './report.ts';

const NONE = '–';

/** By their ids. */
export function sectionsOf(report: StatusReport): Record<string, string> {
  return {
    summary: summary(report).text,
    servers: servers(report).text,
    connections: connections(report).text,
    scripts: scripts(report).text,
    messages: messages(report).text,
    retries: retries(report).text,
    closed: closed(report).text,
    fpm: fpm(report.fpm).text,
  };
}

function tile(name: string, value: Piece, more: Piece = ''): Html {
  return html`<div class="tile"><dt>${name}</dt><dd>${value}</dd><dd class="more">${more}</dd></div>`;
}

function summary(report: StatusReport): Html {
  const { queued, waiting, running, workers } = report;
  const busy = report.servers.reduce((sum, server) => sum + server.busy, 0);
  return html`<dl class="tiles">
${tile('Requests a second', rateOf(report.perSecond), `most ${rateOf(report.mostPerSecond)}`)}
${tile('Queue', numberOf(queued), queued === 0 ? `most ${numberOf(report.mostQueued)}` : `for ${durationOf(report.queueAge)}`)}
${tile('Busy', numberOf(busy), workers === null ? 'workers not yet known' : `of ${numberOf(workers)} workers found`)}
${tile('Answered in', durationOf(running.p50), `p99 ${durationOf(running.p99)}`)}
${tile('Waited', durationOf(waiting.p50), `p99 ${durationOf(waiting.p99)}`)}
${tile('Served', numberOf(report.served), `${numberOf(report.retried)} sent again`)}
${tile('Refused', numberOf(report.refused), 'queue too long or too slow')}
</dl>`;
}

/** As HAProxy groups them: queue, session rate, sessions, errors, warnings, server. */
function servers(report: StatusReport): Html {
  const head = html`<thead>
<tr><th rowspan="2" scope="col">Server</th><th colspan="2">Queue</th><th colspan="2">Session rate</th><th colspan="4">Sessions</th><th colspan="2">Errors</th><th>Denied</th><th>Warnings</th><th colspan="5">Server</th></tr>
<tr><th>Cur</th><th>Max</th><th>Cur</th><th>Max</th><th>Cur</th><th>Idle</th><th>Workers</th><th>Total</th><th>In a row</th><th>Resp</th><th>Req</th><th>Retr</th><th class="text">Status</th><th>Wght</th><th>Act</th><th>Bck</th><th class="text">Why</th></tr>
</thead>`;
  const cells = (one: ServerReport): Html =>
    html`<tr class="${one.state}"><th scope="row">${nameOf(one)}</th><td></td><td></td><td>${rateOf(one.perSecond)}</td><td>${rateOf(one.mostPerSecond)}</td><td>${one.busy}</td><td>${one.idle}</td><td>${one.workers ?? NONE}</td><td>${numberOf(one.served)}</td><td>${numberOf(one.fails)}</td><td>${numberOf(lost(one))}</td><td></td><td>${numberOf(one.retried)}</td><td class="text"><span class="state">${one.state}</span></td><td>${one.weight}</td><td>${one.backup ? NONE : 'Y'}</td><td>${one.backup ? 'Y' : NONE}</td><td class="text long">${why(one)}</td></tr>
`;
  const sum = (of: (one: ServerReport) => number): string =>
    numberOf(report.servers.reduce((total, one) => total + of(one), 0));
  const total = html`<tr class="total"><th scope="row">All</th><td>${numberOf(report.queued)}</td><td>${numberOf(report.mostQueued)}</td><td>${rateOf(report.perSecond)}</td><td>${rateOf(report.mostPerSecond)}</td><td>${sum((one) => one.busy)}</td><td>${sum((one) => one.idle)}</td><td>${report.workers ?? NONE}</td><td>${numberOf(report.served)}</td><td></td><td>${sum(lost)}</td><td>${numberOf(report.refused)}</td><td>${numberOf(report.retried)}</td><td></td><td></td><td></td><td></td><td></td></tr>`;
  return html`<h2>Servers</h2><div class="wide"><table>${head}<tbody>${report.servers.map(cells)}</tbody><tfoot>${total}</tfoot></table></div>`;
}

function nameOf({ address, origin }: ServerReport): Piece {
  return origin === address ? address : html`${address} <small>${origin}</small>`;
}

/** Connections that ended under a request. */
function lost({ closed }: ServerReport): number {
  return closed.failed + closed.reset + closed['server-closed'] + closed.timeout + closed['protocol-error'];
}

function why({ state, why, fails }: ServerReport): string {
  const words: Readonly<Record<string, string>> = {
    suspect: 'silent while others answer: they are asked first',
    busy: 'it has said that it is busy: others first',
    trial: 'asked with one request at a time',
    down: 'by its option',
    leaving: 'taken out of the list; ends what it has',
  };
  const known = words[state] ?? '';
  const failed = why === '' ? '' : `${why}${fails > 1 ? ` (${fails} times)` : ''}`;
  return [known, failed].filter((one) => one !== '').join('; ');
}

function connections({ connections: all }: StatusReport): Html {
  const rows = all.map(
    (one) =>
      html`<tr class="${one.state}"><th scope="row">${one.server}</th><td class="text"><span class="state">${one.state}</span></td><td>${durationOf(one.age)}</td><td>${numberOf(one.requests)}</td><td>${one.state === 'idle' ? NONE : durationOf(one.running)}</td><td class="text">${one.script}</td></tr>
`,
  );
  return table(
    `Connections (${all.length})`,
    ['Server', '.State', 'Age', 'Requests', 'Running for', '.Script'],
    rows,
    'None is open. The first request opens one.',
  );
}

function closed({ servers: all }: StatusReport): Html {
  const counts = new Map<string, number>();
  for (const server of all)
    for (const [reason, count] of Object.entries(server.closed))
      counts.set(reason, (counts.get(reason) ?? 0) + count);
  const rows = [...counts]
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(
      ([reason, count]) => html`<tr><th scope="row">${reason}</th><td>${numberOf(count)}</td></tr>
`,
    );
  return table('Closed connections', ['Reason', 'Count'], rows, 'None so far.');
}

function retries({ retries: latest, proven, states }: StatusReport): Html {
  const rows = latest.map(
    (one) =>
      html`<tr><th scope="row">${timeOf(one.time)}</th><td class="text">${one.script}</td><td class="text">${one.server}</td><td class="text">${one.executed}</td><td class="text">${one.phase}</td><td class="text long">${one.hint}</td></tr>
`,
  );
  const changes = states.map(
    (one) =>
      html`<tr><th scope="row">${timeOf(one.time)}</th><td class="text">${one.server}</td><td class="text">${one.previous} → ${one.state}</td><td class="text long">${one.why}</td></tr>
`,
  );
  const sum = html`<p>Provably not run: ${numberOf(proven.no)}, those that could not connect among them. May have run, and may run twice: ${numberOf(proven.unknown)}.</p>`;
  const sent = table(
    'Sent again',
    ['Time', '.Script', '.Server', '.Executed', '.Phase', '.Likely cause'],
    rows,
    'None since this page is looked at.',
    sum,
  );
  if (changes.length === 0) return sent;
  return html`${sent}${table('States of servers', ['Time', '.Server', '.State', '.Why'], changes, '')}`;
}

function scripts({ scripts: slowest }: StatusReport): Html {
  const rows = slowest.map(
    (one) =>
      html`<tr><th scope="row">${one.script}</th><td>${numberOf(one.requests)}</td><td>${numberOf(one.failed)}</td><td>${durationOf(one.mean)}</td><td>${durationOf(one.max)}</td><td>${durationOf(one.total)}</td></tr>
`,
  );
  return table(
    'Slowest scripts',
    ['Script', 'Requests', 'Failed', 'Mean', 'Max', 'Worker time'],
    rows,
    'None since this page is looked at.',
  );
}

function messages({ messages: latest }: StatusReport): Html {
  const rows = latest.map(
    (one) =>
      html`<tr class="${one.level}"><th scope="row">${timeOf(one.time)}</th><td class="text"><span class="state">${one.level}</span></td><td class="text long">${one.message}</td><td class="text">${one.file === '' ? one.script : `${one.file}:${one.line}`}</td></tr>
`,
  );
  return table(
    "PHP's messages",
    ['Time', '.Level', '.Message', '.Where'],
    rows,
    'None since this page is looked at.',
  );
}

/** The members of php-fpm's page that are figures of now. */
const FPM_COLUMNS: readonly (readonly [member: string, title: string])[] = [
  ['active processes', 'Active'],
  ['idle processes', 'Idle'],
  ['total processes', 'Total'],
  ['max active processes', 'Most active'],
  ['max children reached', 'Limit reached'],
  ['listen queue', 'Listen queue'],
  ['accepted conn', 'Accepted'],
  ['slow requests', 'Slow'],
];

function fpm(pages: readonly FpmReport[]): Html {
  if (pages.length === 0) return new Html('');
  const rows = pages.map(({ uri, page, time }) => {
    const cells =
      page === null
        ? html`<td colspan="${FPM_COLUMNS.length}" class="text">no answer: it takes a free worker</td>`
        : FPM_COLUMNS.map(([member]) => html`<td>${figure(page[member])}</td>`);
    return html`<tr><th scope="row">${uri}</th>${cells}<td>${timeOf(time)}</td></tr>
`;
  });
  return table(
    "php-fpm's own status",
    ['Page', ...FPM_COLUMNS.map(([, title]) => title), 'Asked at'],
    rows,
    '',
  );
}

function figure(value: unknown): string {
  return typeof value === 'number' ? numberOf(value) : NONE;
}

/** `columns`: one that begins with a dot holds text. */
function table(
  title: string,
  columns: readonly string[],
  rows: readonly Html[],
  none: string,
  above: Html = new Html(''),
): Html {
  const heading = html`<h2>${title}</h2>${above}`;
  if (rows.length === 0) return html`${heading}<p class="none">${none}</p>`;
  const heads = columns.map((name) =>
    name.startsWith('.') ? html`<th class="text">${name.slice(1)}</th>` : html`<th>${name}</th>`,
  );
  return html`${heading}<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function timeOf(iso: string): string {
  return iso.slice(11, 19);
}
