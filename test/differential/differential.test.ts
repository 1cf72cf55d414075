/**
 * The same bytes to nginx, to Apache and to `serve`, the same PHP-FPM and the same files behind: what ours answers
 * must be what one of the two answers, status, headers, body and all that PHP was told.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { themes } from './cases/index.ts';
import { type Case, request } from './support/case.ts';
import { judge, tagsOf, type Verdict } from './support/compare.ts';
import { SECRET } from './support/scripts.ts';
import { LANES, type Servers, startServers } from './support/servers.ts';

const cases = themes.flatMap((theme) => theme.cases);
const verdicts = new Map<Case, Verdict>();

let servers: Servers;
beforeAll(async () => {
  servers = await startServers();
  const tags = await tagsOf(servers, request('/static/text.txt', { method: 'HEAD' }));
  const waiting = cases.values();
  const lane = async (): Promise<void> => {
    for (const one of waiting) verdicts.set(one, await judge(servers, one, tags));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}, 60_000);
afterAll(() => servers?.stop(), 20_000);

function verdictOf(one: Case): Verdict {
  const verdict = verdicts.get(one);
  if (!verdict) throw new Error(`${one.name} was not asked`);
  return verdict;
}

const agrees = ({ agrees: { nginx, apache } }: Verdict): boolean => nginx || apache;

describe.each(themes)('$theme', ({ cases: ofTheme }) => {
  it.each(ofTheme)('$name', (one) => {
    const verdict = verdictOf(one);
    expect(verdict.flaws).toEqual([]);
    expect(verdict.text).not.toContain(SECRET);
    if (agrees(verdict)) return;
    const { ours, nginx, apache } = verdict.said;
    if (one.ours) {
      expect(ours.answers.map(({ status }) => status)).toEqual(one.ours.status);
    } else {
      expect(ours, `Apache says ${JSON.stringify(apache, null, 1)}`).toEqual(nginx);
    }
  });
});

it('there are at least 300 cases, each with a name of its own', () => {
  const names = themes.flatMap(({ theme, cases: some }) => some.map(({ name }) => `${theme}: ${name}`));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(300);
});

it('at least 97 % of the answers are those of nginx or of Apache', () => {
  const agreed = cases.filter((one) => agrees(verdictOf(one)));
  expect(agreed.length / cases.length).toBeGreaterThanOrEqual(0.97);
});
