import { describe, expect, it } from 'vitest';
import { Trust } from '../../../src/pool/learned/backend-kind.ts';

const auto = (): Trust => new Trust({ backend: 'auto', proxied: false });
const php = new Map([['FCGI_MPXS_CONNS', '0']]);
const cgi = new Map([
  ['FCGI_MAX_CONNS', '1'],
  ['FCGI_MAX_REQS', '1'],
  ['FCGI_MPXS_CONNS', '0'],
]);
const go = new Map([['FCGI_MPXS_CONNS', '1']]);

describe('what the operator has said', () => {
  it.each([
    ['php-fpm', false, true, true],
    ['php-fpm', true, true, false],
    ['generic', false, false, null],
    ['auto', false, null, null],
    ['auto', true, null, false],
  ] as const)('backend %s, proxied %s', (backend, proxied, isPhpFpm, isDirect) => {
    expect(new Trust({ backend, proxied })).toMatchObject({ isPhpFpm, isDirect });
  });

  it('stays, whatever the server says of itself', () => {
    const trust = new Trust({ backend: 'generic', proxied: false });
    trust.said(php);
    expect(trust.isPhpFpm).toBe(false);
  });
});

describe('a server of which nothing is known', () => {
  it('is asked behind its first answer', () => {
    expect(auto().behindAnswer(1, 0)).toBe('ask');
  });

  it.each([
    ['php-fpm', php, true],
    ['php-cgi', cgi, false],
    ['Go', go, false],
    ['nobody that knows the question', new Map(), false],
  ])('is known by its answer: %s', (_, values, isPhpFpm) => {
    const trust = auto();
    expect(trust.replied({ values, closed: null }, 1, 0)).toBe(isPhpFpm);
    expect(trust.isPhpFpm).toBe(isPhpFpm);
  });

  it('that is PHP-FPM is not asked again, and its connections are used at once', () => {
    const trust = auto();
    trust.said(php);
    expect(trust.behindAnswer(1, 1e9)).toBe('nothing');
  });

  it('that says nothing is asked again later, thrice, and is not PHP-FPM then', () => {
    const trust = auto();
    let asked = 0;
    for (let now = 0; now < 200_000; now += 100) {
      if (trust.behindAnswer(1, now) !== 'ask') continue;
      asked++;
      trust.replied({ values: null, closed: 'unanswered' }, 1, now);
    }
    expect(asked).toBe(4);
    expect(trust.isPhpFpm).toBe(false);
  });

  it('that ends its connection instead has said nothing: a worker at pm.max_requests does so', () => {
    const trust = auto();
    trust.replied({ values: null, closed: 'server-closed' }, 1, 0);
    expect(trust).toMatchObject({ isPhpFpm: null });
  });

  it('that says something else is not PHP-FPM', () => {
    const trust = auto();
    trust.replied({ values: null, closed: 'trailing-bytes' }, 1, 0);
    expect(trust.isPhpFpm).toBe(false);
  });

  it('may be PHP-FPM until something speaks against it', () => {
    const trust = auto();
    expect(trust.mayBePhpFpm).toBe(true);
    trust.replied({ values: null, closed: 'server-closed' }, 1, 0);
    expect(trust.mayBePhpFpm).toBe(true);
    trust.replied({ values: null, closed: 'unanswered' }, 1, 0);
    expect(trust.mayBePhpFpm).toBe(false);
    trust.said(php);
    expect(trust.mayBePhpFpm).toBe(true);
  });

  it('is none, as far as the end of input goes, once it has refused that behind an answer', () => {
    const trust = auto();
    trust.onEndOfInputRefused();
    expect(trust).toMatchObject({ isPhpFpm: null, mayBePhpFpm: false });
    trust.said(php);
    expect(trust.mayBePhpFpm).toBe(true);
  });

  it('is known when it is not PHP-FPM, or is and the way to it is known as well', () => {
    const trust = auto();
    trust.said(php);
    expect(trust.isKnown).toBe(false);
    trust.examined({ values: php, isDirect: true }, 0);
    expect(trust.isKnown).toBe(true);
    const other = auto();
    other.said(go);
    expect(other.isKnown).toBe(true);
  });
});

describe('connections of a server that is not PHP-FPM', () => {
  const other = (): Trust => {
    const trust = auto();
    trust.said(go);
    return trust;
  };

  it('are used again once one has outlived its first answer', () => {
    const trust = other();
    expect(trust.behindAnswer(1, 0)).toBe('wait');
    expect(trust.replied({ values: null, closed: null }, 1, 0)).toBe(true);
    expect([1, 2, 3].map((requests) => trust.behindAnswer(requests, 0))).toEqual([
      'nothing',
      'nothing',
      'nothing',
    ]);
  });

  it('are waited for again where one was seen to end', () => {
    const trust = other();
    trust.replied({ values: null, closed: null }, 1, 0);
    trust.ended(7);
    expect([6, 7, 8].map((requests) => trust.behindAnswer(requests, 0))).toEqual([
      'nothing',
      'wait',
      'nothing',
    ]);
  });
});

describe('a server that ends each connection behind its answer, asked to keep it or not', () => {
  const closing = (): Trust => {
    const trust = auto();
    for (let i = 0; i < 3; i++) {
      expect(trust.keeps()).toBe(true);
      trust.ended(1);
    }
    return trust;
  };

  it('is not asked to keep them any more, but now and then', () => {
    const trust = closing();
    const asked = Array.from({ length: 200 }, () => trust.keeps()).filter((keeps) => keeps).length;
    expect(asked).toBe(4);
  });

  it('is asked again once a connection has outlived an answer', () => {
    const trust = closing();
    expect(trust.keepsNone).toBe(true);
    trust.outlived();
    expect(trust).toMatchObject({ keepsNone: false });
    expect(trust.keeps()).toBe(true);
  });
});

describe('a proxy in between', () => {
  it.each([true, false, null])('is known by how connections end, where that says so: %s', (isDirect) => {
    const trust = auto();
    trust.examined({ values: php, isDirect }, 0);
    expect(trust.isDirect).toBe(isDirect);
  });

  it('is not believed in where the server ended the connection without a word: it may be leaving', () => {
    const trust = auto();
    trust.said(php);
    trust.examined({ values: null, isDirect: false }, 0);
    expect(trust.isDirect).toBe(null);
  });

  it('of another server nothing is known by that', () => {
    const trust = auto();
    trust.examined({ values: go, isDirect: true }, 0);
    expect(trust.isDirect).toBe(null);
  });

  it('is believed in at the first connection that is half-closed without an answer', () => {
    const trust = auto();
    trust.examined({ values: php, isDirect: true }, 0);
    trust.onHalfClosed();
    expect(trust.isDirect).toBe(false);
  });
});

it('a server that waits for the end of input is not PHP-FPM, whatever it has said', () => {
  const trust = auto();
  trust.said(php);
  trust.onWaitsForEndOfInput();
  expect(trust.isPhpFpm).toBe(false);
});

describe('whether something stands in between', () => {
  it('is to be looked for once it is known to be PHP-FPM, and again only after a while where nothing came out', () => {
    const trust = auto();
    expect(trust.isToBeExamined(0)).toBe(false);
    trust.said(php);
    expect(trust.isToBeExamined(0)).toBe(true);
    trust.examined({ values: null, isDirect: null }, 100);
    expect([5_000, 10_099, 10_100].map((now) => trust.isToBeExamined(now))).toEqual([false, false, true]);
    trust.examined({ values: php, isDirect: true }, 10_200);
    expect(trust.isDirect).toBe(true);
    expect(trust.isToBeExamined(1e9)).toBe(false);
  });

  it.each([
    { backend: 'php-fpm', proxied: false },
    { backend: 'php-fpm', proxied: true },
    { backend: 'generic', proxied: false },
    { backend: 'auto', proxied: true },
  ] as const)('is not looked for where the operator has said it: %o', (told) => {
    const trust = new Trust(told);
    trust.said(php);
    expect(trust.isToBeExamined(0)).toBe(false);
  });
});
