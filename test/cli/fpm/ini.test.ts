import { describe, expect, it } from 'vitest';
import { iniArgument, startsBeforeBody } from '../../../src/cli/fpm/ini.ts';

describe('a setting of php.ini', () => {
  it.each([
    ['tcp://h?weight=1&timeout=2.5', "a='tcp://h?weight=1&timeout=2.5'"],
    ['5;/tmp', "a='5;/tmp'"],
    ['say "hi"', 'a=\'say "hi"\''],
    ["it's", 'a="it\'s"'],
    ['it\'s "so" \\', 'a="it\'s \\"so\\" \\\\"'],
    [`$\{HOME}`, `a='$\{HOME}'`],
    ['On', 'a=On'],
    ['', 'a='],
    ['64M', 'a=64M'],
    ['-1', 'a=-1'],
    ['E_ALL & ~E_NOTICE', 'a=E_ALL & ~E_NOTICE'],
    ['(E_ALL ^ E_STRICT)', 'a=(E_ALL ^ E_STRICT)'],
    ['E_ALL; x', "a='E_ALL; x'"],
  ])('%j is %s', (value, argument) => {
    expect(iniArgument(['a', value])).toBe(argument);
  });

  it.each<[name: string, value: string, early: boolean]>([
    ['enable_post_data_reading', '0', true],
    ['enable_post_data_reading', 'Off', true],
    ['enable_post_data_reading', '', true],
    ['enable_post_data_reading', 'on', false],
    ['post_max_size', '10', true],
    ['post_max_size', '8k', true],
    ['post_max_size', '16k', false],
    ['post_max_size', '64M', false],
    ['post_max_size', '0', false],
    ['memory_limit', '10', false],
  ])('%s=%s starts scripts before their body is read: %s', (name, value, early) => {
    expect(startsBeforeBody([[name, value]])).toBe(early);
  });
});
