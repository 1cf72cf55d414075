import { type Case, one, request, type Theme } from '../support/case.ts';
import { phpAnswers } from './php-scripts.ts';

/** What PHP should not say; one request is enough to show what becomes of it. */
const wrong = new Set([
  ...['status-205-body', 'status-100', 'status-101', 'status-103', 'status-1000', 'length-too-large'],
  ...['value-control', 'value-escape', 'value-del', 'name-odd', 'name-high'],
]);

function casesOf(file: string): Case[] {
  const name = file.replace('.php', '');
  const get = one(name, request(`/${file}`));
  if (wrong.has(name)) return [get];
  return [
    get,
    one(`${name}, asked by HEAD`, request(`/${file}`, { method: 'HEAD' })),
    one(`${name}, asked by HTTP/1.0`, request(`/${file}`, { version: 'HTTP/1.0' })),
    one(
      `${name}, and a second request behind it`,
      request(`/${file}`, { last: false }) + request('/plain.php?2'),
    ),
  ];
}

export const phpAnswerCases: Theme = {
  theme: 'what PHP answers',
  cases: Object.keys(phpAnswers).flatMap(casesOf),
};
