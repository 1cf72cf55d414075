/** Whatever is given in place of an argument, the error is one of ours, comes at once, and names the argument. */
import { inspect } from 'node:util';
import * as promClient from 'prom-client';
import { describe, expect, it } from 'vitest';
import { nearest } from '../src/arguments.ts';
import { buildParams } from '../src/cgi/build-params.ts';
import { ArgumentError } from '../src/errors.ts';
import { observe } from '../src/observe/prometheus.ts';
import { statusHandler } from '../src/observe/status.ts';
import { optionRules } from '../src/pool/options.ts';
import { Pool } from '../src/pool/pool.ts';
import { MockDispatcher, startFakeFpm } from '../src/testing/index.ts';
import { Upstream } from '../src/upstream/upstream.ts';

/** No argument of this library can be any of them. */
const wrongs = [null, Number.NaN, -1, Number.POSITIVE_INFINITY, Symbol('x'), 5n];
/** Nor be options. */
const noOptions = [...wrongs, [], () => ({}), 'text', true, new Map()];

const ADDRESS = 'unix:/nowhere.sock';

/** The argument that is named. */
async function named(make: () => unknown): Promise<string> {
  try {
    await make();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    expect(error.message).toContain(error.option.split('.').at(-1));
    return error.option;
  }
  return 'it was taken';
}

type Make = (value: never) => unknown;

const pool = (options: object) => new Pool(ADDRESS, options);
const upstream = (options: object) => new Upstream([ADDRESS], options);
const server = (options: object) => new Upstream([{ address: ADDRESS, ...options }]);
const check = (options: object) => upstream({ healthCheck: options });
const params = (facts: object) =>
  buildParams({ method: 'GET', url: '/a.php', headers: [], ...facts }, { root: '/srv' });
const script = (options: object) =>
  buildParams({ method: 'GET', url: '/a.php', headers: [] }, { root: '/srv', ...options });
const figures = (options: object) =>
  observe(pool({}), { client: promClient, registry: new promClient.Registry(), ...options });

const owners: readonly [string, (options: object) => unknown, readonly string[]][] = [
  ['Pool', pool, Object.keys(optionRules)],
  [
    'Upstream',
    upstream,
    [
      'balance',
      'hashKey',
      'resolve',
      'resolveInterval',
      'nameservers',
      'retryTimeout',
      'healthCheck',
      'connections',
    ],
  ],
  [
    'a server',
    server,
    ['address', 'weight', 'backup', 'maxFails', 'failTimeout', 'maxConns', 'slowStart', 'down'],
  ],
  ['healthCheck', check, ['path', 'params', 'interval', 'timeout']],
  [
    'the request of buildParams()',
    params,
    ['method', 'url', 'headers', 'protocol', 'remote', 'local', 'tls', 'contentLength'],
  ],
  [
    'the options of buildParams()',
    script,
    ['root', 'index', 'splitPath', 'frontController', 'fpmPages', 'params'],
  ],
  ['statusHandler()', (options) => statusHandler(pool({}), options), ['allow', 'hosts', 'fpmStatus']],
  ['observe()', figures, ['client', 'registry', 'labels', 'status', 'statusTimeout']],
  [
    'startFakeFpm()',
    startFakeFpm,
    [
      ...[
        'script',
        'transport',
        'workers',
        'maxRequests',
        'firstByteTimeout',
        'recordSize',
        'writeSize',
        'padding',
      ],
      ...['stdoutTerminator', 'readsToEndOfInput', 'onRequest'],
    ],
  ],
];

describe.each(owners)('%s', (_, make, options) => {
  it.each(options)('%s', async (option) => {
    for (const value of wrongs)
      expect([inspect(value), await named(() => make({ [option]: value }))]).toEqual([
        inspect(value),
        option,
      ]);
  });

  it.each(options)('takes no other name for %s, and says that it is meant', async (option) => {
    const misspelled = `${option}s`;
    expect(await named(() => make({ [misspelled]: 1 }))).toBe(misspelled);
    await expect(async () => make({ [misspelled]: 1 })).rejects.toThrow(`is it ${option} that you mean?`);
  });
});

it.each<[string, string, Make]>([
  ['Pool', 'options', (value) => new Pool(ADDRESS, value)],
  ['Upstream', 'options', (value) => new Upstream([ADDRESS], value)],
  ['healthCheck', 'healthCheck', (value) => upstream({ healthCheck: value })],
  ['buildParams(), first', 'request', (value) => buildParams(value, { root: '/srv' })],
  [
    'buildParams(), second',
    'options',
    (value) => buildParams({ method: 'GET', url: '/', headers: [] }, value),
  ],
  ['observe(), second', 'options', (value) => observe(pool({}), value)],
  ['statusHandler(), second', 'options', (value) => statusHandler(pool({}), value)],
  ['startFakeFpm()', 'options', (value) => startFakeFpm(value)],
])('what is no object is no options: %s', async (_, option, make) => {
  for (const value of noOptions) expect(await named(() => make(value as never))).toBe(option);
});

it.each<[string, string, Make]>([
  ['an address', 'address', (value) => new Pool(value)],
  ['its path', 'address', (value) => new Pool({ path: value })],
  ['its host', 'address', (value) => new Pool({ host: value, port: 9000 })],
  ['its port', 'address', (value) => new Pool({ port: value === 5 ? 0.5 : value } as never)],
  ['servers', 'servers', (value) => new Upstream(value)],
  ['a server', 'address', (value) => new Upstream([value])],
  ['the servers of update()', 'servers', (value) => upstream({}).update(value)],
  ['what observe() observes', 'fpm', (value) => observe(value, { client: promClient })],
  ['the script of MockDispatcher', 'script', (value) => new MockDispatcher(value)],
])('%s', async (_, option, make) => {
  for (const value of [...wrongs, [], 5, true]) expect(await named(() => make(value as never))).toBe(option);
});

it.each<[string, object]>([
  ['status', { status: 404 }],
  ['statusCode', { statusCode: '404' }],
  ['headers', { headers: [['A', 'b']] }],
  ['body', { body: 5 }],
  ['answer', []],
])('MockDispatcher: an answer with a wrong %s fails the request', async (option, answer) => {
  const mock = new MockDispatcher(() => answer as never);
  expect(await named(() => mock.request({ params: { REQUEST_METHOD: 'GET' } }))).toBe(option);
});

it('MockDispatcher: a handler that could not be told of an error is refused at once', async () => {
  const mock = new MockDispatcher();
  for (const handler of [...wrongs, {}]) {
    expect(await named(() => mock.dispatch({ params: {} }, handler as never))).toBe(
      'handler.onResponseError',
    );
  }
});

it.each([
  ['conections', 'connections'],
  ['KeepAlive', 'keepalive'],
  ['headerTimeout', 'headersTimeout'],
  ['max_fails', 'maxFails'],
  ['colour', null],
  ['x'.repeat(1000), null],
])('%s: is it %s?', (name, meant) => {
  expect(nearest(name, ['connections', 'keepalive', 'headersTimeout', 'maxFails'])).toBe(meant);
});
