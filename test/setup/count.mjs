// One plain line that sums up vitest's JSON report (the argument). A run without a test, or with one skipped, fails.
import { readFileSync } from 'node:fs';
import { fail } from './say.mjs';

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
process.stdout.write(
  `${passed} passed, ${failed} failed${skipped + todo > 0 ? `, ${skipped + todo} skipped` : ''}\n`,
);
if (passed === 0 || skipped + todo > 0 || !report.success) process.exitCode = 1;
