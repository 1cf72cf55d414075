import { expect, it } from 'vitest';
import { statusTable } from '../../src/cli/status-table.ts';

const pool = { pool: 'www', 'start time': 1_700_000_000, 'start since': 7, 'max active processes': 2 };

it('is a table of two columns', () => {
  expect(statusTable(pool)).toBe(
    'pool                  www\n' +
      'start time            2023-11-14T22:13:20.000Z\n' +
      'start since           7 s\n' +
      'max active processes  2\n',
  );
});

it('has one row for each process, and lets no URI steer the terminal', () => {
  const process = { pid: 42, state: 'Running', requests: 3, 'start since': 7, 'request duration': 1500 };
  const text = statusTable({
    pool: 'www',
    processes: [
      { ...process, 'last request memory': 0, 'request method': 'GET', 'request uri': '/\u001b[2J' },
      {},
    ],
  });
  expect(text.split('\n')).toEqual([
    'pool  www',
    '',
    'pid  state    requests  age  us    memory  method  uri',
    '42   Running  3         7 s  1500  0       GET     /\\x1b[2J',
    '-    -        -         -    -     -       -       -',
    '',
  ]);
});
