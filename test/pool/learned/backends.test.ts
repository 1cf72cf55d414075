import { describe, expect, it } from 'vitest';
import { Backends } from '../../../src/pool/learned/backends.ts';
import { resolveOptions } from '../../../src/pool/options.ts';

const PHP_FPM = new Map([['FCGI_MPXS_CONNS', '0']]);

function backends(): Backends {
  return new Backends(resolveOptions({}), () => 0);
}

it('what one server has shown says nothing of the next at the same address', () => {
  const known = backends();
  known.connected('first');
  known.latest.onDetected({ values: PHP_FPM, isDirect: true, answeredAfter: 0 }, 0);
  expect(known.latest.isSettled).toBe(true);
  known.connected('second');
  expect(known.latest).toMatchObject({ endpoint: 'second', isPhpFpm: null, isDirect: null });
});

it('a request that was sent to the first is judged by what that one was', () => {
  const known = backends();
  known.connected('first');
  known.latest.onDetected({ values: PHP_FPM, isDirect: true, answeredAfter: 0 }, 0);
  known.connected('second');
  expect(known.at('first')).toMatchObject({ isPhpFpm: true, isDirect: true });
});

it('two hosts that take turns are both known', () => {
  const known = backends();
  for (const endpoint of ['first', 'second', 'first', 'second']) {
    known.connected(endpoint);
    if (endpoint === 'first')
      known.latest.onDetected({ values: PHP_FPM, isDirect: true, answeredAfter: 0 }, 0);
    else known.latest.onHalfClosed();
  }
  expect([known.at('first').isDirect, known.at('second').isDirect]).toEqual([true, false]);
});

it('of hundreds the oldest are forgotten, and never the latest', () => {
  const known = backends();
  known.connected('first');
  known.latest.onDetected({ values: PHP_FPM, isDirect: true, answeredAfter: 0 }, 0);
  for (let nth = 0; nth < 100; nth++) known.at(`${nth}`);
  expect(known.latest).toMatchObject({ endpoint: 'first', isPhpFpm: true });
  known.connected('another');
  for (let nth = 0; nth < 100; nth++) known.at(`${nth}`);
  expect(known.at('first').isPhpFpm).toBe(null);
});

it.each([
  [15, true],
  [16, false],
])('behind %i others that were met later it is known: %s', (others, known) => {
  const met = backends();
  met.at('first').onValues(PHP_FPM);
  for (let nth = 0; nth < others; nth++) met.at(`${nth}`);
  expect(met.at('first').isPhpFpm).toBe(known ? true : null);
});

it('the one of the latest connection is known behind any number of others, also once the next is the latest', () => {
  const known = backends();
  known.connected('first');
  known.latest.onValues(PHP_FPM);
  for (let nth = 0; nth < 100; nth++) known.at(`${nth}`);
  known.connected('next');
  expect(known.at('first').isPhpFpm).toBe(true);
});

it.each([
  [15, 'first (1)'],
  [16, 'first'],
])('behind connections to %i other addresses a server is told from the one before it: %s', (others, name) => {
  const known = backends();
  known.connected('first');
  known.latest.onDetected({ values: PHP_FPM, isDirect: true, answeredAfter: 0 }, 0);
  expect(known.connected('first', true)).toBe('first (1)');
  for (let nth = 0; nth < others; nth++) known.connected(`${nth}`);
  expect(known.connected('first')).toBe(name);
});

it.each([
  ['one that was known: it may have been restarted, and a proxy is looked for soon', true],
  ['one of which little was known: where a worker is free', false],
])('behind %s', (_, isSettled) => {
  const known = backends();
  known.connected('first');
  known.latest.onDetected({ values: PHP_FPM, isDirect: isSettled ? true : null, answeredAfter: 0 }, 0);
  known.connected('second');
  known.latest.onValues(PHP_FPM);
  expect(known.latest.isProxyCheckWorthwhile(100, false)).toBe(isSettled);
});

describe('at the same address, where another may stand by now', () => {
  it.each<[string, string, boolean | null, boolean | null]>([
    // It was trusted, and must show anew what it is.
    ['php-fpm', '0', true, null],
    // It was not, so that what was lost on the way is judged by what is to be seen now.
    ['php-fpm of which that is not known', '0', null, true],
    ['php-fpm behind a proxy', '0', false, true],
    ['another', '1', true, false],
  ])('%s', (_, multiplexes, isDirect, isPhpFpm) => {
    const known = backends();
    known.connected('host');
    const { latest } = known;
    latest.onDetected({ values: new Map([['FCGI_MPXS_CONNS', multiplexes]]), isDirect, answeredAfter: 0 }, 0);
    const { isTrusted } = latest;
    const name = known.connected('host', true);
    expect(known.latest.isPhpFpm).toBe(isPhpFpm);
    expect(known.latest === latest).toBe(!isTrusted);
    // While it may be PHP-FPM still it is not told of the end of input before it has to be.
    expect(known.latest.isDoubted).toBe(isTrusted);
    // What was sent to the one before is judged by what that one was.
    expect(known.at(latest.endpoint)).toBe(latest);
    expect(known.connected('host')).toBe(name);
  });
});

it('what was told of it holds for whoever stands there', () => {
  const known = new Backends(resolveOptions({ backend: 'php-fpm' }), () => 0);
  const first = known.connected('host');
  expect(known.connected('host', true)).toBe(first);
});

it('of a name with several addresses each one that was trusted must show anew what it is, and no other', () => {
  const known = backends();
  const trusted = (address: string): void => {
    known.connected(address);
    known.latest.onDetected({ values: PHP_FPM, isDirect: true, answeredAfter: 0 }, 0);
  };
  for (const address of ['first', 'second']) trusted(address);
  known.connected('third');
  const { latest } = known;
  known.connected('third', true);
  expect(known.latest).toBe(latest);
  for (const address of ['first', 'second']) {
    known.connected(address);
    expect(known.latest.isPhpFpm).toBe(null);
    trusted(address);
    known.connected(address);
    expect(known.latest.isTrusted).toBe(true);
  }
});

it('what was forgotten of hundreds of addresses is not taken for what stood there', () => {
  const known = backends();
  known.connected('first');
  known.latest.onDetected({ values: PHP_FPM, isDirect: true, answeredAfter: 0 }, 0);
  known.connected('first', true);
  for (let nth = 0; nth < 100; nth++) known.connected(`${nth}`);
  known.connected('first');
  expect(known.latest.isPhpFpm).toBe(null);
});
