/** The parts of the README and of docs/ that are made from the source: tables of docstrings, help texts, examples as they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { doctorHelp } from '../../src/cli/args/doctor.ts';
import { pingHelp, statusHelp } from '../../src/cli/args/fpm-pages.ts';
import { opcacheHelp } from '../../src/cli/args/opcache.ts';
import { requestHelp } from '../../src/cli/args/request.ts';
import { serveHelp } from '../../src/cli/args/serve-help.ts';
import { topHelp } from '../../src/cli/args/top.ts';
import { migration } from '../../src/cli/doctor/migration.ts';
import { CHANNELS } from '../../src/connection/channels.ts';
import { optionRules } from '../../src/pool/options.ts';
import { NEEDS } from '../interop/support/needs.ts';
import { constantDocs, errorCodes, extendedBy, type Member, membersOf } from './docstrings.ts';
import { statusesFor } from './statuses.ts';
import { verdicts } from './verdicts.ts';

const root = new URL('../../', import.meta.url);

export function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** All that whoever installs the package may read. */
export const documents: readonly string[] = [
  'README.md',
  ...readdirSync(new URL('docs/', root))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

/** By the names of their marks, `<!-- options -->`. Each is in one document. */
export const sections: Readonly<Record<string, () => string>> = {
  options: optionsTable,
  request: () => membersTable('src/pool/dispatcher.ts', 'DispatchRequest'),
  ended: () => membersTable('src/pool/dispatcher.ts', 'Ended'),
  stats: () => membersTable('src/pool/stats/stats.ts', 'Stats'),
  servers: () => membersTable('src/upstream/options.ts', 'ServerOptions'),
  upstream: () => membersTable('src/upstream/options.ts', 'UpstreamOptions'),
  'health-check': () => membersTable('src/upstream/options.ts', 'HealthCheck'),
  'server-stats': () => membersTable('src/upstream/stats.ts', 'ServerStats'),
  errors: errorsTable,
  facts: () => membersTable('src/errors.ts', 'FailureFacts'),
  gateway: () => membersTable('src/gateway/options.ts', 'GatewayOptions'),
  files: () => membersTable('src/gateway/site/static/files-options.ts', 'FilesOptions'),
  outcome: () => membersTable('src/gateway/reply/outcome.ts', 'Outcome'),
  channels: channelsTable,
  migration: () =>
    table(
      ['nginx', 'here', ''],
      migration.map(({ directive, ours, note }) => [`\`${directive}\``, ours, note]),
    ),
  'status-options': () => membersTable('src/observe/status/options.ts', 'StatusOptions'),
  verdicts: verdictsTable,
  'other-servers': needsTable,
  serve: () => helpText(serveHelp),
  'command-request': () => helpText(requestHelp),
  ping: () => helpText(pingHelp),
  status: () => helpText(statusHelp),
  opcache: () => helpText(opcacheHelp),
  doctor: () => helpText(doctorHelp),
  top: () => helpText(topHelp),
};

const mark = /(<!-- ([\w-]+) -->\n)[\s\S]*?(<!-- \/\2 -->)/g;

/** Names of the sections that a document has. */
export function sectionsIn(text: string): string[] {
  return [...text.matchAll(mark)].map((found) => found[2] ?? '');
}

/** A document as it should be: every marked section filled in anew. */
export function filled(text: string): string {
  return text
    .replace(mark, (_, begin: string, name: string, end: string) => {
      const make = sections[name];
      if (!make) throw new Error(`nothing makes a section ${name}`);
      return `${begin}\n${make()}\n${end}`;
    })
    .replace(
      /<!-- (examples\/[\w.-]+) -->\n(\n```js\n[\s\S]*?\n```\n)?/g,
      (_, path: string) => `<!-- ${path} -->\n\n\`\`\`js\n${read(path).trimEnd()}\n\`\`\`\n`,
    );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`.replace(/ {2}(?=\|)/g, ' ');
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}

function channelsTable(): string {
  const path = 'src/connection/channels.ts';
  const docs = constantDocs(read, path, 'CHANNELS');
  const rows = Object.entries(CHANNELS).map(([name, channel]) => {
    const doc = docs.get(name) ?? '';
    const [, traced = '', message = '', rest = ''] = /^(TracingChannel, )?(\w+)\. (.*)$/.exec(doc) ?? [];
    const base = extendedBy(read, path, message);
    const members = [message, ...(base === null ? [] : [base])].flatMap((one) => membersOf(read, path, one));
    const shown = traced === '' ? `\`${channel}\`` : `\`${channel}\` (tracing)`;
    return [shown, rest, members.map((member) => `\`${member.name}\``).join(', ')];
  });
  return table(['channel', '', 'message'], rows);
}

function optionsTable(): string {
  const docs = new Map(
    membersOf(read, 'src/pool/options.ts', 'PoolOptions').map(({ name, doc }) => [name, doc]),
  );
  const rows = Object.entries(optionRules).map(([name, rule]) => {
    const unit = rule.unit === '' ? '' : ` ${rule.unit}`;
    const fallback =
      name === 'keepalive'
        ? '`connections`'
        : typeof rule.default === 'string'
          ? `'${rule.default}'`
          : `${rule.default}${unit}`;
    return [`\`${name}\``, fallback, withoutDefault(docs.get(name) ?? '')];
  });
  return table(['option', 'default', ''], rows);
}

function membersTable(path: string, name: string): string {
  const row = ({ name, doc, type }: Member): string[] => [`\`${name}\``, doc === '' ? `\`${type}\`` : doc];
  return table(['', ''], membersOf(read, path, name).map(row));
}

function errorsTable(): string {
  const rows = errorCodes(read).map(({ code, className, doc }) => [
    `\`${code}\``,
    `\`${className}\``,
    statusesFor(code).join(', '),
    doc,
  ]);
  return table(['code', 'class', 'HTTP', ''], rows);
}

function verdictsTable(): string {
  return table(
    ['what was seen', 'was it run?'],
    verdicts().map(([seen, executed]) => [seen, executed]),
  );
}

/** What test/interop/ has measured. */
function needsTable(): string {
  const yes = (value: boolean): string => (value ? 'yes' : 'no');
  const rows = Object.entries(NEEDS).map(([name, needs]) => [
    name,
    yes(needs.keeps),
    needs.takesLateEnd === null ? '' : yes(needs.takesLateEnd),
    needs.needsEnd ? 'all requests' : needs.needsEndOfBody ? 'a body that is read to its end' : 'nothing',
    yes(needs.beginsEarly),
    needs.values,
  ]);
  return table(
    [
      'server',
      'keeps a connection',
      'takes the end of input behind its answer',
      'waits for the end of input of',
      'begins before it has the body',
      'says to FCGI_GET_VALUES',
    ],
    rows,
  );
}

function helpText(help: string): string {
  return `\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;
}

/** The table has a column for it. */
function withoutDefault(doc: string): string {
  return doc.replace(/ ?Default: [^ ]+\.(?= |$)/, '');
}
