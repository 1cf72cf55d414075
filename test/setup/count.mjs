// What must be read of vitest's JSON report (the argument) where only the end of the output is kept: which tests have
// failed and why, then one plain line that sums it up. A run without a test, or with one skipped, fails.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { fail } from './say.mjs';

/** Lines of each message: what was expected and what came, not the whole trace. */
const LINES = 12;

const [file] = process.argv.slice(2);
if (file === undefined) fail('usage: node test/setup/count.mjs REPORT.json');
let report;
try {
  report = JSON.parse(readFileSync(file, 'utf8'));
} catch {
  fail(`${file} is no report: the test run ended before its end`);
}
const {
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTodoTests: todo,
} = report;
for (const { name, message, status, assertionResults } of report.testResults) {
  const failures = assertionResults.filter((test) => test.status === 'failed');
  for (const { fullName, failureMessages } of failures) tell(name, fullName, failureMessages.join('\n'));
  // a file that could not be loaded has no tests
  if (status === 'failed' && failures.length === 0) tell(name, 'the file itself', message);
}
process.stdout.write(
  `${passed} passed, ${failed} failed${skipped + todo > 0 ? `, ${skipped + todo} skipped` : ''}\n`,
);
if (passed === 0 || skipped + todo > 0 || !report.success) process.exitCode = 1;

function tell(path, test, message) {
  const lines = stripVTControlCharacters(message).split('\n').slice(0, LINES);
  process.stdout.write(`FAILED ${relative(process.cwd(), path)}: ${test}\n${lines.join('\n')}\n\n`);
}
