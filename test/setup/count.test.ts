import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tempDir } from '../fpm/support/temp.ts';

const directory = tempDir('count-');
afterAll(() => directory.remove());

interface Outcome {
  readonly status: 'passed' | 'failed' | 'pending';
  readonly fullName: string;
  readonly failureMessages: string[];
}

function passed(fullName: string): Outcome {
  return { status: 'passed', fullName, failureMessages: [] };
}

/** Sums up the report of one file with those tests. */
function count(tests: readonly Outcome[], message = ''): { status: number | null; stdout: string } {
  const of = (status: Outcome['status']): number => tests.filter((each) => each.status === status).length;
  const success = message === '' && of('failed') === 0;
  const file = join(directory.path, 'report.json');
  const name = join(process.cwd(), 'test/some.test.ts');
  writeFileSync(
    file,
    JSON.stringify({
      numPassedTests: of('passed'),
      numFailedTests: of('failed'),
      numPendingTests: of('pending'),
      numTodoTests: 0,
      success,
      testResults: [{ name, message, status: success ? 'passed' : 'failed', assertionResults: tests }],
    }),
  );
  const { status, stdout } = spawnSync(process.execPath, ['test/setup/count.mjs', file], {
    encoding: 'utf8',
  });
  return { status, stdout };
}

it('sums up a run that is in order in one line', () => {
  expect(count([passed('adds'), passed('takes')])).toEqual({ status: 0, stdout: '2 passed, 0 failed\n' });
});

it('names what has failed, and why, at the end of the output', () => {
  const message = '\u001b[31mAssertionError: expected 1 to be 2\u001b[39m\n    at test/some.test.ts:3:4';
  const failed: Outcome = { status: 'failed', fullName: 'sums adds', failureMessages: [message] };
  expect(count([passed('takes'), failed])).toEqual({
    status: 1,
    stdout:
      'FAILED test/some.test.ts: sums adds\nAssertionError: expected 1 to be 2\n    at test/some.test.ts:3:4\n\n1 passed, 1 failed\n',
  });
});

it('names a file that could not be loaded', () => {
  const { status, stdout } = count([], "Cannot find module './gone.ts'");
  expect(status).toBe(1);
  expect(stdout).toContain("FAILED test/some.test.ts: the file itself\nCannot find module './gone.ts'\n");
});

it('fails a run without a test, and one that skips a test', () => {
  expect(count([])).toEqual({ status: 1, stdout: '0 passed, 0 failed\n' });
  expect(count([passed('adds'), { status: 'pending', fullName: 'takes', failureMessages: [] }])).toEqual({
    status: 1,
    stdout: '1 passed, 0 failed, 1 skipped\n',
  });
});
