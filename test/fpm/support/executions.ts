/** Proof of what PHP ran: each run appends one line to a file, so "ran once" is a count and not a belief. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Execution {
  readonly id: string;
  /** The worker's pid. */
  readonly worker: number;
}

export interface ExecutionLog {
  /** PHP that appends `id pid` in one O_APPEND write; put it where the script must have come to. */
  readonly php: string;
  /** Every run so far, in the order in which PHP ran them. */
  entries(): Execution[];
  /** How often each id ran. */
  executions(): Map<string, number>;
}

/** `id` is the PHP expression that names the request: by default its param REQUEST_ID, given as `{ REQUEST_ID: '7' }`. */
export function executionLog(root: string, id = `$_SERVER['REQUEST_ID']`): ExecutionLog {
  const file = join(root, 'executions.log');
  const entries = (): Execution[] => {
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    lines.pop();
    return lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return { id: line.slice(0, at), worker: Number(line.slice(at + 1)) };
    });
  };
  return {
    php: `file_put_contents('${file}', ${id} . ' ' . getmypid() . "\\n", FILE_APPEND);`,
    entries,
    executions() {
      const counts = new Map<string, number>();
      for (const { id: key } of entries()) counts.set(key, (counts.get(key) ?? 0) + 1);
      return counts;
    },
  };
}
