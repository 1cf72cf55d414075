import { describe, expect, it } from 'vitest';
import { iniArgument, postDataReadingBy } from '../../../src/cli/fpm/ini.ts';

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

  it.each<[name: string, value: string, bytes: number | null]>([
    ['enable_post_data_reading', '0', 0],
    ['enable_post_data_reading', 'Off', 0],
    ['enable_post_data_reading', '', 0],
    ['enable_post_data_reading', 'on', null],
    ['post_max_size', '10', 10],
    ['post_max_size', '8k', 8_192],
    ['post_max_size', '8MB', 8],
    ['post_max_size', '16k', null],
    ['post_max_size', '64M', null],
    ['post_max_size', '0', null],
    ['memory_limit', '10', null],
  ])('%s=%s: of a body so many bytes are read before the script starts: %s', (name, value, read) => {
    expect(postDataReadingBy([[name, value]])).toBe(read);
  });
});
