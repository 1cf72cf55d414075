import { describe, expect, it } from 'vitest';
import { BackendKind, type Follows } from '../../../src/pool/learned/backend-kind.ts';

const auto = (): BackendKind => new BackendKind({ backend: 'auto', proxied: false });
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
    expect(new BackendKind({ backend, proxied })).toMatchObject({ isPhpFpm, isDirect });
  });

  it('stays, though bytes come that nobody has asked for, or no answer, again and again', () => {
    const backend = new BackendKind({ backend: 'php-fpm', proxied: false });
    backend.onIdleCheck({ values: null, closed: 'trailing-bytes' }, 1, 0);
    for (let i = 0; i < 5; i++) backend.onIdleCheck({ values: null, closed: 'unanswered' }, 1, 0);
    expect(backend.isPhpFpm).toBe(true);
  });

  it('stays, whatever the server says of itself', () => {
    const backend = new BackendKind({ backend: 'generic', proxied: false });
    backend.onValues(php);
    expect(backend.isPhpFpm).toBe(false);
  });
});

describe('a server of which nothing is known', () => {
  it('is asked behind its first answer', () => {
    expect(auto().afterResponse(1, 0, false)).toBe('ask');
  });

  it('is asked on one connection at a time', () => {
    const backend = auto();
    expect([1, 1].map((requests) => backend.afterResponse(requests, 0, false))).toEqual(['ask', 'wait']);
    expect(backend.onIdleCheck({ values: null, closed: 'server-closed' }, 1, 0)).toBe(false);
    expect(backend.afterResponse(1, 0, false)).toBe('ask');
  });

  it('is asked on one connection at a time, also where another one has outlived its wait meanwhile', () => {
    const backend = auto();
    expect([1, 1].map((requests) => backend.afterResponse(requests, 0, false))).toEqual(['ask', 'wait']);
    expect(backend.onIdleCheck({ values: null, closed: null }, 1, 0, false)).toBe(true);
    expect(backend.afterResponse(1, 0, false)).toBe('nothing');
  });

  it('that says nothing on connections of its own, four times, is not PHP-FPM; one that is known is', () => {
    for (const [backend, isPhpFpm] of [
      [auto(), false],
      [auto(), true],
    ] as const) {
      if (isPhpFpm) backend.onValues(php);
      for (let i = 0; i < 4; i++) backend.onDetected({ values: null, isDirect: null, answeredAfter: 0 }, 0);
      expect(backend.isPhpFpm).toBe(isPhpFpm);
    }
  });

  it.each([
    ['php-fpm', php, true],
    ['php-cgi', cgi, false],
    ['Go', go, false],
    ['nobody that knows the question', new Map(), false],
  ])('is known by its answer: %s', (_, values, isPhpFpm) => {
    const backend = auto();
    expect(backend.onIdleCheck({ values, closed: null }, 1, 0)).toBe(isPhpFpm);
    expect(backend.isPhpFpm).toBe(isPhpFpm);
  });

  it('is not suspected of anything, once it is known as PHP-FPM, for what it leaves unanswered as it stops', () => {
    const backend = auto();
    backend.onValues(php);
    backend.onDetected({ values: null, isDirect: null, answeredAfter: 0 }, 0);
    expect(backend).toMatchObject({ isPhpFpm: true, wantsOwnConnection: false });
  });

  it('that is PHP-FPM is not asked again, and its connections are used at once', () => {
    const backend = auto();
    backend.onValues(php);
    expect(backend.afterResponse(1, 1e9, false)).toBe('nothing');
  });

  it('that says nothing is asked again later, thrice, and is not PHP-FPM then', () => {
    const backend = auto();
    let asked = 0;
    for (let now = 0; now < 200_000; now += 100) {
      if (backend.afterResponse(1, now, false) !== 'ask') continue;
      asked++;
      backend.onIdleCheck({ values: null, closed: 'unanswered' }, 1, now);
    }
    expect(asked).toBe(4);
    expect(backend.isPhpFpm).toBe(false);
  });

  it('that ends its connection instead has said nothing: a worker at pm.max_requests does so', () => {
    const backend = auto();
    backend.onIdleCheck({ values: null, closed: 'server-closed' }, 1, 0);
    expect(backend).toMatchObject({ isPhpFpm: null });
  });

  it('that says something else is not PHP-FPM', () => {
    const backend = auto();
    backend.onIdleCheck({ values: null, closed: 'trailing-bytes' }, 1, 0);
    expect(backend.isPhpFpm).toBe(false);
  });

  it('may be PHP-FPM until something speaks against it', () => {
    const backend = auto();
    expect(backend.mayBePhpFpm).toBe(true);
    backend.onIdleCheck({ values: null, closed: 'server-closed' }, 1, 0);
    expect(backend.mayBePhpFpm).toBe(true);
    backend.onIdleCheck({ values: null, closed: 'unanswered' }, 1, 0);
    expect(backend.mayBePhpFpm).toBe(false);
    backend.onValues(php);
    expect(backend.mayBePhpFpm).toBe(true);
  });

  it('is none, as far as the end of input goes, once it has refused that behind an answer', () => {
    const backend = auto();
    backend.onEndOfInputRefused();
    expect(backend).toMatchObject({ isPhpFpm: null, mayBePhpFpm: false });
    backend.onValues(php);
    expect(backend.mayBePhpFpm).toBe(true);
  });

  it('is known when it is not PHP-FPM, or is and the way to it is known as well', () => {
    const backend = auto();
    backend.onValues(php);
    expect(backend.isKnown).toBe(false);
    backend.onDetected({ values: php, isDirect: true, answeredAfter: 0 }, 0);
    expect(backend.isKnown).toBe(true);
    const other = auto();
    other.onValues(go);
    expect(other.isKnown).toBe(true);
  });
});

describe('connections of a server that is not PHP-FPM', () => {
  const other = (): BackendKind => {
    const backend = auto();
    backend.onValues(go);
    return backend;
  };

  it('are used again once one has outlived its first answer', () => {
    const backend = other();
    expect(backend.afterResponse(1, 0, false)).toBe('wait');
    expect(backend.onIdleCheck({ values: null, closed: null }, 1, 0)).toBe(true);
    expect([1, 2, 3].map((requests) => backend.afterResponse(requests, 0, false))).toEqual([
      'nothing',
      'nothing',
      'nothing',
    ]);
  });

  it('are waited for again where one was seen to end', () => {
    const backend = other();
    backend.onIdleCheck({ values: null, closed: null }, 1, 0);
    backend.onServerClosed(7);
    expect([6, 7, 8].map((requests) => backend.afterResponse(requests, 0, false))).toEqual([
      'nothing',
      'wait',
      'nothing',
    ]);
  });
});

describe('the numbers of answers behind which connections were seen to end', () => {
  const waits = (backend: BackendKind, requests: number): boolean =>
    backend.afterResponse(requests, 0, false) === 'wait';
  const other = (): BackendKind => {
    const backend = auto();
    backend.onValues(go);
    return backend;
  };

  it('are remembered, sixteen of them', () => {
    const backend = other();
    // Before its first answer it ends for another reason.
    for (const requests of [0, ...Array.from({ length: 20 }, (_, i) => i + 2)])
      backend.onServerClosed(requests);
    const remembered = Array.from({ length: 25 }, (_, i) => i).filter((requests) => waits(backend, requests));
    expect(remembered).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  });

  it('are the first again, where one that had outlived its first answer was followed by one that had not', () => {
    const backend = other();
    backend.onIdleCheck({ values: null, closed: null }, 1, 0);
    expect(waits(backend, 1)).toBe(false);
    backend.onServerClosed(1);
    expect(waits(backend, 1)).toBe(true);
  });
});

it.each([
  ['auto', php, true],
  ['auto', go, false],
  ['php-fpm', null, false],
  ['php-fpm', php, true],
  ['generic', php, false],
] as const)(
  'backend %s: it answers FCGI_GET_VALUES as PHP-FPM only once it has',
  (backend, values, answers) => {
    const kind = new BackendKind({ backend, proxied: false });
    expect(kind.answersGetValues).toBe(false);
    if (values !== null) kind.onValues(values);
    expect(kind.answersGetValues).toBe(answers);
  },
);

describe('a server that ends each connection behind its answer, asked to keep it or not', () => {
  const closing = (): BackendKind => {
    const backend = auto();
    for (let i = 0; i < 3; i++) {
      expect(backend.mayKeep()).toBe(true);
      backend.onServerClosed(1);
    }
    return backend;
  };

  it('is not asked to keep them any more, but now and then', () => {
    const backend = closing();
    const asked = Array.from({ length: 200 }, () => backend.mayKeep()).filter((keeps) => keeps).length;
    expect(asked).toBe(4);
  });

  it('is asked again once a connection has outlived an answer', () => {
    const backend = closing();
    expect(backend.closesAll).toBe(true);
    backend.onStayedOpen();
    expect(backend).toMatchObject({ closesAll: false });
    expect(backend.mayKeep()).toBe(true);
  });
});

describe('a proxy in between', () => {
  it.each([true, false, null])('is known by how connections end, where that says so: %s', (isDirect) => {
    const backend = auto();
    backend.onDetected({ values: php, isDirect, answeredAfter: 0 }, 0);
    expect(backend.isDirect).toBe(isDirect);
  });

  it('is not believed in where the server ended the connection without a word: it may be leaving', () => {
    const backend = auto();
    backend.onValues(php);
    backend.onDetected({ values: null, isDirect: false, answeredAfter: 0 }, 0);
    expect(backend.isDirect).toBe(null);
  });

  it('of another server nothing is known by that', () => {
    const backend = auto();
    backend.onDetected({ values: go, isDirect: true, answeredAfter: 0 }, 0);
    expect(backend.isDirect).toBe(null);
  });

  it('is believed in at the first connection that is half-closed without an answer', () => {
    const backend = auto();
    backend.onDetected({ values: php, isDirect: true, answeredAfter: 0 }, 0);
    backend.onHalfClosed();
    expect(backend.isDirect).toBe(false);
    // And a look that finds none does not disprove it: it has several ways to the server, perhaps.
    backend.onDetected({ values: php, isDirect: true, answeredAfter: 0 }, 0);
    expect(backend.isDirect).toBe(false);
  });
});

describe('a connection that still owes the end of its input', () => {
  it('waits behind each answer, until one has outlived an end of input: a server that closes at it would lose the next request', () => {
    const backend = auto();
    backend.onValues(go);
    // One that owes nothing, as its answer was slow, has stayed open: that says nothing of the others.
    backend.onIdleCheck({ values: null, closed: null }, 1, 0);
    expect([1, 2, 3].map((requests) => backend.afterResponse(requests, 0, true))).toEqual([
      'wait',
      'wait',
      'wait',
    ]);
    expect(backend.afterResponse(2, 0, false)).toBe('nothing');
    backend.onEndOfInputTaken();
    expect(backend.afterResponse(2, 0, true)).toBe('nothing');
  });

  it('does not wait where the server is known to be PHP-FPM', () => {
    const backend = new BackendKind({ backend: 'php-fpm', proxied: false });
    expect(backend.afterResponse(1, 0, true)).toBe('nothing');
  });
});

describe('a request that it has left may be taken for one that was not run', () => {
  const seen = (values: ReadonlyMap<string, unknown>, isDirect: boolean | null, doubts = 0): BackendKind => {
    const backend = auto();
    backend.onDetected({ values, isDirect, answeredAfter: 0 }, 0);
    for (let i = 0; i < doubts; i++) backend.onDoubted();
    return backend;
  };
  it.each<[string, BackendKind, boolean]>([
    ['of PHP-FPM without a proxy', seen(php, true), true],
    ['not of PHP-FPM behind one', seen(php, false), false],
    ['nor where that is not known', seen(php, null), false],
    ['nor while it must show anew what it is', seen(php, true, 1), false],
    ['nor of another', seen(go, true), false],
    ['nor of one of which nothing is known', auto(), false],
    [
      'nor of one that the operator has named',
      new BackendKind({ backend: 'php-fpm', proxied: false }),
      false,
    ],
  ])('%s: because it has shown it', (_, backend, isTrusted) => {
    expect(backend.isTrusted).toBe(isTrusted);
  });
});

describe('a server that answers under the id of another request', () => {
  it('is not PHP-FPM, and has one request on each connection', () => {
    const backend = auto();
    backend.onValues(php);
    expect([backend.mixesIds, backend.mayKeep()]).toEqual([false, true]);
    backend.onIdsMixed();
    expect(backend).toMatchObject({ mixesIds: true, isPhpFpm: false });
    expect(backend.mayKeep()).toBe(false);
  });

  it('has one on each as well where the operator has said what it is, which stays so', () => {
    const backend = new BackendKind({ backend: 'php-fpm', proxied: false });
    backend.onIdsMixed();
    expect(backend.isPhpFpm).toBe(true);
    expect(backend.mayKeep()).toBe(false);
  });
});

describe('where the look for what it is came to nothing, as its connections had to go', () => {
  const silent = (backend: BackendKind): void => {
    backend.onIdleCheck({ values: null, closed: 'unanswered' }, 1, -1_000);
  };
  const closing = (backend: BackendKind): void => {
    for (let i = 0; i < 3; i++) backend.onServerClosed(1);
  };
  it.each<[string, ((backend: BackendKind) => void)[], boolean[]]>([
    ['one that was asked in vain before is asked again after the pause', [silent], [false, true]],
    ['one that closes each connection is, too', [closing], [false, true]],
    ['one of which nothing is known is asked on the next connection that is kept', [], [true, true]],
  ])('%s', (_, known, due) => {
    const backend = auto();
    for (const learn of known) learn(backend);
    backend.onNotDetected(0, 5_000);
    expect([4_999, 5_000].map((now) => backend.isQueryDue(now))).toEqual(due);
  });
});

describe('an answer that may have waited for the end of input', () => {
  const doubted = (): BackendKind => {
    const backend = auto();
    backend.onStreams(false);
    backend.onDetected({ values: php, isDirect: true, answeredAfter: 0 }, 0);
    backend.onDoubted();
    return backend;
  };

  it('has the server asked anew, at once, and nothing is a proof until then', () => {
    const backend = doubted();
    expect(backend).toMatchObject({ isPhpFpm: null, isDoubted: true, isKnown: false, mayBePhpFpm: true });
    expect(backend.afterResponse(1, 0, false)).toBe('ask');
  });

  it('costs a PHP-FPM one question, however often it comes: a page may take as long as that', () => {
    const backend = doubted();
    for (let nth = 1; nth <= 50; nth++) {
      backend.onDoubted();
      expect(backend.afterResponse(1, nth, false)).toBe('ask');
      expect(backend.onIdleCheck({ values: php, closed: null }, 1, nth)).toBe(true);
      expect(backend).toMatchObject({ isPhpFpm: true, isDoubted: false, isDirect: true, isSettled: true });
    }
  });

  it('where the server leaves that unanswered, it is as one of which nothing was known', () => {
    const backend = doubted();
    backend.onIdleCheck({ values: null, closed: 'unanswered' }, 1, 0);
    expect(backend).toMatchObject({ isPhpFpm: null, isDoubted: false, isDirect: null, mayBePhpFpm: false });
  });

  it('where some answer and some do not, it is none behind the fourth time', () => {
    const backend = doubted();
    const seen = [1, 2, 3, 4].map((nth) => {
      backend.onDoubted();
      backend.onIdleCheck({ values: null, closed: 'unanswered' }, 1, nth);
      const { isPhpFpm } = backend;
      backend.onValues(php);
      return isPhpFpm;
    });
    expect(seen).toEqual([null, null, null, false]);
  });

  it('with the empty record that PHP-FPM never sends, it is another', () => {
    const backend = doubted();
    backend.onStreams(true);
    expect(backend).toMatchObject({ isPhpFpm: null, isDoubted: false, isDirect: null });
  });

  it.each(['php-fpm', 'generic'] as const)(
    'says nothing where the operator has said that it is %s',
    (told) => {
      const backend = new BackendKind({ backend: told, proxied: false });
      const { isPhpFpm } = backend;
      backend.onDoubted();
      expect(backend.isPhpFpm).toBe(isPhpFpm);
    },
  );

  it('nor of a server that is not taken for PHP-FPM', () => {
    const backend = auto();
    backend.onDetected({ values: go, isDirect: null, answeredAfter: 0 }, 0);
    backend.onDoubted();
    expect(backend).toMatchObject({ isPhpFpm: false, isDoubted: false });
  });
});

describe('whether something stands in between', () => {
  it('is to be looked for once it is known to be PHP-FPM, and again only after a while where nothing came out', () => {
    const backend = auto();
    expect(backend.isProxyCheckDue(0)).toBe(false);
    backend.onValues(php);
    expect(backend.isProxyCheckDue(0)).toBe(true);
    backend.onDetected({ values: null, isDirect: null, answeredAfter: 0 }, 100);
    expect([5_000, 10_099, 10_100].map((now) => backend.isProxyCheckDue(now))).toEqual([false, false, true]);
    backend.onDetected({ values: php, isDirect: true, answeredAfter: 0 }, 10_200);
    expect(backend.isDirect).toBe(true);
    expect(backend.isProxyCheckDue(1e9)).toBe(false);
  });

  it('is not looked for again for a while where its connections had to go', () => {
    const backend = auto();
    backend.onValues(php);
    backend.onNotDetected(100, 5_000);
    expect([100, 5_099, 5_100].map((now) => backend.isProxyCheckDue(now))).toEqual([false, false, true]);
  });

  it.each([
    { backend: 'php-fpm', proxied: false },
    { backend: 'php-fpm', proxied: true },
    { backend: 'generic', proxied: false },
    { backend: 'auto', proxied: true },
  ] as const)('is not looked for where the operator has said it: %o', (told) => {
    const backend = new BackendKind(told);
    backend.onValues(php);
    expect(backend.isProxyCheckDue(0)).toBe(false);
  });
});

describe('the empty records by which most servers end STDOUT and STDERR, and PHP-FPM does not', () => {
  const shown = (): BackendKind => {
    const backend = auto();
    backend.onStreams(false);
    backend.onValues(php);
    backend.onDetected({ values: php, isDirect: true, answeredAfter: 0 }, 0);
    return backend;
  };

  it('show that another server has taken the address over: it is to be asked anew, and nothing is believed until then', () => {
    const backend = shown();
    backend.onStreams(true);
    expect(backend).toMatchObject({ isPhpFpm: null, isDirect: null, answersGetValues: false });
    expect(backend.afterResponse(1, 0, false)).toBe('ask');
    backend.onIdleCheck({ values: php, closed: null }, 1, 0);
    expect(backend).toMatchObject({ isPhpFpm: true, isDirect: null });
  });

  it('show that it may close at an end of input that comes behind its answer, whatever the one before it did', () => {
    const backend = auto();
    backend.onEndOfInputTaken();
    backend.onStreams(false);
    backend.onValues(php);
    backend.onStreams(true);
    expect(backend.afterResponse(2, 0, true)).toBe('ask');
    expect(backend.afterResponse(2, 0, true)).toBe('wait');
  });

  it('show that the end of input may be held back from it, though the one before refused that behind an answer', () => {
    const backend = auto();
    backend.onEndOfInputRefused();
    backend.onStreams(false);
    backend.onValues(php);
    backend.onStreams(true);
    expect(backend).toMatchObject({ isPhpFpm: null, mayBePhpFpm: true });
  });

  it('where they come and go, there are several servers behind the address: it is asked once a minute, not each time', () => {
    const backend = shown();
    const asked: number[] = [];
    for (let now = 0; now < 200_000; now += 500) {
      backend.onStreams(now % 1_000 === 0);
      if (backend.afterResponse(1, now, false) !== 'ask') continue;
      asked.push(now);
      backend.onIdleCheck({ values: php, closed: null }, 1, now);
    }
    // Behind three changes at once; behind the fourth only where it has answered as PHP-FPM does once more.
    expect(asked.filter((now) => now < 10_000)).toEqual([0, 1_000, 2_000, 3_500]);
    expect(asked.filter((now) => now >= 10_000).length).toBeLessThanOrEqual(4);
    expect(asked.length).toBeGreaterThan(4);
    backend.onStreams(true);
    expect(backend.isPhpFpm).toBe(false);
  });

  it('show nothing where they were there from the start: it has been asked since', () => {
    const backend = auto();
    backend.onStreams(true);
    backend.onValues(php);
    backend.onStreams(true);
    expect(backend.isPhpFpm).toBe(true);
  });

  it('show nothing where the operator has said what it is', () => {
    const backend = new BackendKind({ backend: 'php-fpm', proxied: false });
    for (const endsStreams of [false, true]) backend.onStreams(endsStreams);
    expect(backend).toMatchObject({ isPhpFpm: true, isDirect: true });
  });

  it('leave a proxy that was declared where it is', () => {
    const backend = new BackendKind({ backend: 'auto', proxied: true });
    backend.onValues(php);
    for (const endsStreams of [false, true]) backend.onStreams(endsStreams);
    expect(backend).toMatchObject({ isPhpFpm: null, isDirect: false });
  });
});

describe('a server that was taken for another', () => {
  const silent = (): BackendKind => {
    const backend = auto();
    for (let i = 0; i < 4; i++) backend.onDetected({ values: null, isDirect: null, answeredAfter: 0 }, 0);
    expect(backend.isPhpFpm).toBe(false);
    return backend;
  };

  it.each([
    ['was asked in vain', silent],
    [
      'said that it is another',
      (): BackendKind => {
        const backend = auto();
        backend.onDetected({ values: go, isDirect: null, answeredAfter: 0 }, 0);
        return backend;
      },
    ],
  ])(
    'as it %s, and ends its answers as PHP-FPM does, is asked once a minute: it may be PHP-FPM by now',
    (_, other) => {
      const backend = other();
      backend.onStreams(false);
      const asked: number[] = [];
      for (let now = 0; now < 200_000; now += 1_000) {
        if (backend.afterResponse(1, now, false) !== 'ask') continue;
        asked.push(now);
        backend.onIdleCheck({ values: null, closed: 'server-closed' }, 1, now);
      }
      expect(asked).toEqual([60_000, 120_000, 180_000]);
      backend.onValues(php);
      expect(backend.isPhpFpm).toBe(true);
    },
  );

  it('and ends them by empty records is never asked again: some of those end themselves over the question', () => {
    const backend = silent();
    backend.onStreams(true);
    expect(backend.isQueryDue(1e9)).toBe(false);
  });
});

it('is asked on a connection of its own once it was asked in vain: each worker may be busy behind its response', () => {
  const backend = auto();
  expect(backend.wantsOwnConnection).toBe(false);
  backend.onIdleCheck({ values: null, closed: 'unanswered' }, 1, 0);
  expect(backend.wantsOwnConnection).toBe(true);
});

it('a server that the operator has named is never asked what it is', () => {
  for (const told of ['php-fpm', 'generic'] as const) {
    const backend = new BackendKind({ backend: told, proxied: false });
    backend.onStreams(false);
    expect(backend.isQueryDue(1e9)).toBe(false);
  }
});

describe('that FCGI_GET_VALUES is not answered', () => {
  it('is known once it was left so, of a server that has never answered it, until it does', () => {
    const backend = auto();
    expect(backend.ignoresGetValues).toBe(false);
    backend.onGetValuesIgnored();
    expect(backend.ignoresGetValues).toBe(true);
    backend.onValues(php);
    expect(backend.ignoresGetValues).toBe(false);
    backend.onGetValuesIgnored();
    expect(backend.ignoresGetValues).toBe(false);
  });

  it('may be so again of the server that has taken the address over', () => {
    const backend = auto();
    backend.onValues(php);
    for (const endsStreams of [false, true]) backend.onStreams(endsStreams);
    backend.onGetValuesIgnored();
    expect(backend.ignoresGetValues).toBe(true);
  });
});

it('a silence of a server of which nothing is known has it asked less and less often', () => {
  const backend = auto();
  const asked: number[] = [];
  for (let now = 0; now < 20_000; now += 500) {
    if (!backend.isQueryDue(now)) continue;
    asked.push(now);
    backend.onDetected({ values: null, isDirect: null, answeredAfter: 0 }, now);
  }
  expect(asked).toEqual([0, 1_000, 11_000]);
});

describe('a proxy is looked for before anybody hangs on it', () => {
  it.each<[Follows, number, boolean, boolean]>([
    // In the first moment as many connections as there may be wait for workers.
    [null, 99, true, false],
    [null, 100, true, true],
    // Or it would cost a request its connection.
    [null, 499, false, false],
    [null, 500, false, true],
    // php-fpm was started anew, and may be so again.
    ['other', 99, false, false],
    ['other', 100, false, true],
    ['likely-the-same', 100, false, true],
  ])('behind %s, %i ms after it was met, one given back: %s: %s', (follows, now, isFree, expected) => {
    const metAt = 7_000;
    const kind = new BackendKind({ backend: 'auto', proxied: false }, 'host', metAt, follows);
    kind.onValues(new Map([['FCGI_MPXS_CONNS', '0']]));
    expect(kind.isProxyCheckWorthwhile(metAt + now, isFree)).toBe(expected);
  });
});
