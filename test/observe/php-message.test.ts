/** What PHP-FPM 8.2 and php-cgi write to STDERR, byte for byte, and what is made of it. */
import { describe, expect, it } from 'vitest';
import { type PhpMessage, PhpMessageSplitter, phpMessages } from '../../src/cgi/php-message.ts';

type Case = [name: string, stderr: string, messages: Partial<PhpMessage>[]];

const trace = ['#0 /srv/u.php(3): K->m()', '#1 /srv/u.php(4): f()', '#2 {main}'];

const cases: Case[] = [
  [
    'a warning',
    'PHP message: PHP Warning:  Undefined variable $undef in /srv/n.php on line 1',
    [{ level: 'warning', message: 'Undefined variable $undef', file: '/srv/n.php', line: 1, trace: [] }],
  ],
  [
    'glued ones of all levels',
    'PHP message: PHP Notice:  mine n in /srv/n.php on line 1; PHP message: PHP Deprecated:  mine d in /srv/n.php on line 12; ' +
      'PHP message: PHP Recoverable fatal error:  r in /srv/n.php on line 3; PHP message: plain',
    [
      { level: 'notice', message: 'mine n', file: '/srv/n.php', line: 1 },
      { level: 'deprecated', message: 'mine d', file: '/srv/n.php', line: 12 },
      { level: 'recoverable', message: 'r', line: 3 },
      { level: 'log', message: 'plain', file: '', line: 0 },
    ],
  ],
  [
    'a message of two lines',
    'PHP message: PHP Warning:  two\nlines in /srv/n.php on line 1',
    [{ level: 'warning', message: 'two\\nlines', file: '/srv/n.php', line: 1 }],
  ],
  [
    'an uncaught exception with the one before it',
    'PHP message: PHP Fatal error:  Uncaught LogicException: inner in /srv/u.php:2\nStack trace:\n#0 /srv/u.php(3): K->m()\n#1 /srv/u.php(4): f()\n#2 {main}\n\nNext RuntimeException: it broke\non two lines in /srv/u.php:2\nStack trace:\n#0 /srv/u.php(3): K->m()\n#1 /srv/u.php(4): f()\n#2 {main}\n  thrown in /srv/u.php on line 2',
    [
      {
        level: 'fatal',
        message: 'Uncaught LogicException: inner',
        file: '/srv/u.php',
        line: 2,
        trace: [...trace, 'Next RuntimeException: it broke', 'on two lines in /srv/u.php:2', ...trace],
      },
    ],
  ],
  [
    'an error in evaluated code',
    "PHP message: PHP Fatal error:  Uncaught ArgumentCountError: strlen() expects exactly 1 argument, 0 given in /srv/t.php(2) : eval()'d code:1\nStack trace:\n#0 /srv/t.php(2) : eval()'d code(1): strlen()\n#1 /srv/t.php(2): eval()\n#2 {main}\n  thrown in /srv/t.php(2) : eval()'d code on line 1",
    [
      {
        level: 'fatal',
        message: 'Uncaught ArgumentCountError: strlen() expects exactly 1 argument, 0 given',
        file: "/srv/t.php(2) : eval()'d code",
        line: 1,
      },
    ],
  ],
  [
    'a fatal error behind a line of error_log()',
    'PHP message: before; PHP message: PHP Fatal error:  Allowed memory size of 2097152 bytes exhausted (tried to allocate 10002432 bytes) in /srv/f.php on line 1',
    [
      { level: 'log', message: 'before' },
      { level: 'fatal', file: '/srv/f.php', line: 1 },
    ],
  ],
  [
    'a parse error whose text names a line of its own',
    "PHP message: PHP Parse error:  Unclosed '(' on line 1 in /srv/p.php on line 2",
    [{ level: 'parse', message: "Unclosed '(' on line 1", file: '/srv/p.php', line: 2 }],
  ],
  [
    'a warning that names another file, and a folder with " in " in its name',
    'PHP message: PHP Warning:  include(x): failed in /tmp/x, see log in /srv/a in b/x.php on line 7',
    [{ message: 'include(x): failed in /tmp/x, see log', file: '/srv/a in b/x.php', line: 7 }],
  ],
  [
    'an exception that error_log() was given',
    'PHP message: RuntimeException: no in /srv/e.php:4\nStack trace:\n#0 {main}',
    [{ level: 'log', message: 'RuntimeException: no', file: '/srv/e.php', line: 4, trace: ['#0 {main}'] }],
  ],
  [
    'what PHP-FPM says itself',
    'Primary script unknown',
    [{ level: 'log', message: 'Primary script unknown' }],
  ],
  [
    'control bytes, which could forge a line or move a cursor',
    'PHP message: esc \u001b[31mred\tx\u202e',
    [{ message: 'esc \\x1b[31mred\\tx\\u202e' }],
  ],
  [
    'a library of its own form',
    'PHP message: [2026] app.ERROR: boom {"a":1} []',
    [{ message: '[2026] app.ERROR: boom {"a":1} []' }],
  ],
  [
    'a level that PHP has not',
    'PHP message: PHP Nonsense:  x',
    [{ level: 'log', message: 'PHP Nonsense:  x' }],
  ],
  [
    'lines without a prefix, as php-cgi writes them',
    'PHP Warning:  one\ntwo in /srv/c.php on line 2\nPHP Notice:  n in /srv/c.php on line 3\nplain\r\nPHP Fatal error:  Uncaught Exception: x in /srv/c.php:9\nStack trace:\n#0 {main}\n  thrown in /srv/c.php on line 9\n',
    [
      { level: 'warning', message: 'one\\ntwo', line: 2 },
      { level: 'notice', line: 3 },
      { level: 'log', message: 'plain' },
      { level: 'fatal', message: 'Uncaught Exception: x', line: 9, trace: ['#0 {main}'] },
    ],
  ],
  [
    'older PHP-FPM, which parts them with line feeds',
    'PHP message: a\nPHP message: PHP Warning:  w in /srv/o.php on line 1\n',
    [
      { level: 'log', message: 'a' },
      { level: 'warning', message: 'w', line: 1 },
    ],
  ],
  ['nothing', '', []],
  ['nothing but white space', 'PHP message: \n; PHP message: ', []],
];

describe('messages of PHP on STDERR', () => {
  it.each(cases)('%s', (_, stderr, messages) => {
    const found = phpMessages(stderr);
    expect(found).toMatchObject(messages);
    expect(found).toHaveLength(messages.length);
  });

  it.each(cases)('in pieces of any length: %s', (_, stderr) => {
    const bytes = Buffer.from(stderr);
    for (const size of [1, 3, 7, 64]) {
      const splitter = new PhpMessageSplitter();
      const found: PhpMessage[] = [];
      for (let at = 0; at < bytes.length; at += size)
        found.push(...splitter.push(bytes.subarray(at, at + size)));
      expect([...found, ...splitter.end()]).toEqual(phpMessages(stderr));
    }
  });

  it('a message, its trace and what is held for its end are bounded', () => {
    const [long] = phpMessages(`PHP message: ${'x'.repeat(20_000)}`);
    expect(long?.message).toHaveLength(8192);
    const [deep] = phpMessages(`PHP message: E in /a.php:1\nStack trace:\n${'#0 f()\n'.repeat(500)}`);
    expect(deep?.trace).toHaveLength(64);
    const splitter = new PhpMessageSplitter();
    expect(splitter.push(Buffer.alloc(40_000, 'x'))).toEqual([]);
    expect(splitter.push(Buffer.alloc(40_000, 'x'))).toHaveLength(1);
    expect(splitter.end()).toEqual([]);
  });

  it('a text of very many lines is that many messages', () => {
    expect(phpMessages('a\n'.repeat(300_000)).length).toBe(300_000);
  });

  it('what a script can write takes no long time', () => {
    const begun = performance.now();
    phpMessages(`PHP message: ${'PHP Warning:  in / on line 1\n'.repeat(20_000)}`);
    phpMessages('PHP Warning:  in / on line x\n'.repeat(2000));
    phpMessages(`PHP Warning:  a\n${'b\n'.repeat(20_000)}`);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
