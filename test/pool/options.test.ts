import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { optionRules, type PoolOptions, resolveOptions } from '../../src/pool/options.ts';

it('the defaults are those of the documentation', () => {
  expect(resolveOptions({})).toEqual({
    connections: 8,
    keepalive: 8,
    keepaliveRequests: 1000,
    keepaliveTime: 'auto',
    keepaliveTimeout: 'auto',
    queueSize: 1024,
    queueTimeout: 30_000,
    timeout: 0,
    connectTimeout: 5_000,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    maxHeaderSize: 65_536,
    retry: 'unexecuted',
    tries: 5,
    replayBuffer: 1_048_576,
    proxied: false,
    terminatorDelay: 50,
    backend: 'auto',
    postDataReading: 16_384,
    knowsPostDataReading: false,
    waitsForKept: true,
  });
});

it('undefined is as if it were not there', () => {
  const given = Object.fromEntries(Object.keys(optionRules).map((name) => [name, undefined]));
  expect(resolveOptions(given)).toEqual(resolveOptions({}));
});

it('the table of rules and the defaults say the same', () => {
  const defaults = Object.fromEntries(
    Object.entries(optionRules).map(([name, rule]) => [name, rule.default]),
  );
  expect(resolveOptions({})).toEqual({
    ...defaults,
    knowsPostDataReading: false,
    waitsForKept: true,
  });
});

it('every default is a value that its rule accepts', () => {
  for (const rule of Object.values(optionRules)) expect(rule.accepts(rule.default)).toBe(true);
});

describe('what one option means for another', () => {
  it('as many idle connections are kept as there may be connections', () => {
    expect(resolveOptions({ connections: 3 }).keepalive).toBe(3);
    expect(resolveOptions({ connections: 3, keepalive: 5 }).keepalive).toBe(3);
    expect(resolveOptions({ connections: 3, keepalive: 0 }).keepalive).toBe(0);
  });

  it('a generic backend gets the end of its input at once, unless told otherwise', () => {
    expect(resolveOptions({ backend: 'generic' }).terminatorDelay).toBe(0);
    expect(resolveOptions({ backend: 'generic', terminatorDelay: 7 }).terminatorDelay).toBe(7);
  });

  it('what php.ini says of bodies is known where it was said, be it the default', () => {
    expect(resolveOptions({ postDataReading: 16_384 }).knowsPostDataReading).toBe(true);
  });

  it('keepaliveRequests 0 is no limit', () => {
    expect(resolveOptions({ keepaliveRequests: 0 }).keepaliveRequests).toBeGreaterThan(1e12);
  });
});

it.each<[string, unknown]>([
  ['connections', 0],
  ['connections', 1.5],
  ['connections', '8'],
  ['connections', Number.NaN],
  ['connections', Number.POSITIVE_INFINITY],
  ['connections', null],
  ['keepalive', -1],
  ['keepaliveRequests', -1],
  ['keepaliveTime', -1],
  ['keepaliveTime', 'never'],
  ['keepaliveTimeout', Number.POSITIVE_INFINITY],
  ['queueSize', 2.5],
  ['queueTimeout', '30s'],
  ['connectTimeout', Number.NaN],
  ['headersTimeout', -0.1],
  ['bodyTimeout', true],
  ['maxHeaderSize', '64k'],
  ['retry', 'sometimes'],
  ['retry', true],
  ['tries', 0],
  ['replayBuffer', -1],
  ['proxied', 'yes'],
  ['terminatorDelay', null],
  ['backend', 'hhvm'],
])('%s: %j is refused by name', (option, value) => {
  expect(() => resolveOptions({ [option]: value })).toThrow(
    expect.objectContaining({
      code: 'FCGI_ERR_INVALID_ARG',
      option,
      message: expect.stringContaining(option),
    }),
  );
});

it('an unknown option is refused by name, whatever it is called', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      fc.pre(!Object.hasOwn(optionRules, name));
      const options = Object.defineProperty({}, name, { value: 1, enumerable: true });
      expect(() => resolveOptions(options)).toThrow(
        expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option: name }),
      );
    }),
  );
});

it.each([null, 'unix:/run/fpm.sock', 5])('%j is no set of options', (options) => {
  expect(() => resolveOptions(options as unknown as PoolOptions)).toThrow(
    expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG' }),
  );
});

it.each(Object.keys(optionRules))(
  '%s: what cannot be made a string is refused by name all the same',
  (option) => {
    const value: unknown = Object.create(null);
    expect(() => resolveOptions({ [option]: value })).toThrow(`${option} must be`);
  },
);
