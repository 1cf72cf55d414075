import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { accountIn } from '../../../src/cli/fpm/accounts.ts';

const passwd = `root:x:0:0:root:/root:/bin/bash
# web:x:1:1::/:/bin/sh
+web
www-data:x:33:34::/var/www:/usr/sbin/nologin
1000:x:7:34::/:/bin/sh
anna:x:1000:1001::/home/anna:/bin/sh
twin:x:1000:34::/:/bin/sh
astray:x:9:999::/:/bin/sh
broken
`;
const group = 'root:x:0:\nweb:x:34:anna\nanna:x:1001:\n';

describe('a user is found in /etc/passwd and /etc/group', () => {
  test.each([
    ['by name', 'www-data', { user: 'www-data', group: 'web' }],
    ['by number', '33', { user: 'www-data', group: 'web' }],
    ['not by the number of a group', '1001', null],
    ['whose name is a number, before one with that number', '1000', { user: '1000', group: 'web' }],
    ['root', '0', { user: 'root', group: 'root' }],
    ['not one in a comment', 'web', null],
    ['not one whose group is not there', 'astray', null],
    ['not a line without ids', 'broken', null],
    ['nobody', 'nobody', null],
    ['not the empty name', '', null],
  ])('%s', (_, wanted, expected) => {
    expect(accountIn(passwd, group, wanted)).toEqual(expected);
  });

  test('as `id` says it of whoever runs this', () => {
    const { username } = userInfo();
    const id = (option: string): string =>
      execFileSync('id', [option, username], { encoding: 'utf8' }).trim();
    const found = accountIn(
      readFileSync('/etc/passwd', 'utf8'),
      readFileSync('/etc/group', 'utf8'),
      username,
    );
    expect(found).toEqual({ user: id('-un'), group: id('-gn') });
  });
});
