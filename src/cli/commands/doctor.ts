/** `doctor`: says what does not go with a pool of ours, and what nginx's configuration is in ours. */
import { resolve } from 'node:path';
import { parseAddress } from '../../connection/socket/address.ts';
import type { DoctorCommand } from '../args/doctor.ts';
import type { Connect } from '../connect.ts';
import { findings } from '../doctor/checks.ts';
import { collectFacts } from '../doctor/collect-facts.ts';
import type { Finding } from '../doctor/facts.ts';
import { type FromNginx, fromNginx } from '../doctor/from-nginx.ts';
import { readNginxConf } from '../doctor/nginx-files.ts';
import { followed } from '../doctor/sockets.ts';
import type { Io } from '../io.ts';
import { print } from '../output.ts';
import { printable } from '../text.ts';
import { UsageError } from '../usage-error.ts';

/** Resolves with 0 where nothing is found, else with 1. */
export async function doctor(command: DoctorCommand, io: Io, connect: Connect): Promise<number> {
  const nginx =
    command.nginxConf === null ? null : await readNginx(resolve(io.cwd, command.nginxConf), command.address);
  const facts = await collectFacts(command, nginx?.root ?? null, io, connect);
  const found = findings(facts);
  await print(io.stdout, command.json ? jsonOf(found, nginx) : textOf(found, nginx));
  return found.length === 0 ? 0 : 1;
}

async function readNginx(file: string, address: string): Promise<FromNginx> {
  try {
    const { tree, missing } = await readNginxConf(file);
    const found = fromNginx(tree, parseAddress(address), followed);
    return {
      ...found,
      notes: [...found.notes, ...missing.map((path) => `include ${path}: it cannot be read`)],
    };
  } catch (error) {
    throw error instanceof Error ? new UsageError(`--nginx-conf: ${error.message}`) : error;
  }
}

function jsonOf(found: readonly Finding[], nginx: FromNginx | null): string {
  const more = nginx === null ? {} : { code: nginx.code, notes: nginx.notes };
  return `${JSON.stringify({ findings: found, ...more }, null, 2)}\n`;
}

function textOf(found: readonly Finding[], nginx: FromNginx | null): string {
  const lines = found.flatMap(({ id, what, why, change }) => [
    `${id}: ${what}`,
    `  why:    ${why}`,
    `  change: ${change}`,
    '',
  ]);
  lines.push(found.length === 0 ? 'nothing found' : `${found.length} found`);
  if (nginx !== null) {
    lines.push('', 'nginx’s configuration as ours:', '', ...nginx.code.split('\n'));
    if (nginx.notes.length > 0) lines.push('', ...nginx.notes.map((note) => `- ${note}`));
  }
  return `${lines.map(printable).join('\n')}\n`;
}
