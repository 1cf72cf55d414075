import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { createFetchHandler } from '../../src/gateway/fetch.ts';
import { createMiddleware } from '../../src/gateway/koa.ts';
import { createHandler } from '../../src/gateway/node.ts';
import { readOptions } from '../../src/gateway/settings.ts';
import { membersOf } from '../readme/docstrings.ts';
import { FakeDispatcher } from './fake-dispatcher.ts';
import { tempSite } from './temp-site.ts';

const site = tempSite({ 'index.php': '', 'app.php': '', 'x.html': '' });
const { root } = site;
afterAll(site.remove);

/** What a JavaScript caller might give. */
function given(options: unknown): never {
  return options as never;
}

function named(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof ArgumentError && error.code === 'FCGI_ERR_INVALID_ARG') {
      expect(error.message).toContain(error.option);
      return error.option;
    }
    throw error;
  }
  throw new Error('it was taken');
}

describe('a handler is not made, and the error names the option, for', () => {
  it.each<[string, unknown]>([
    ['docroot', { root, docroot: '/srv' }],
    ['toString', { root, toString: 1 }],
    ['root', {}],
    ['root', { root: '' }],
    ['root', { root: 5 }],
    ['root', { root: `${root}/missing` }],
    ['root', { root: `${root}/x.html` }],
    ['root', { root: `${root}\0` }],
    ['fpmRoot', { root, fpmRoot: 'relative' }],
    ['fpmRoot', { root, fpmRoot: '/a\0b' }],
    ['fpmRoot', { root, fpmRoot: 1 }],
    ['index', { root, index: '' }],
    ['index', { root, index: ['index.php', '../x.php'] }],
    ['index', { root, index: '/index.php' }],
    ['index', { root, index: [1] }],
    ['frontController', { root, frontController: 'app.php' }],
    ['frontController', { root, frontController: '/../app.php' }],
    ['frontController', { root, frontController: '/x.html' }],
    ['frontController', { root, frontController: '/missing.php' }],
    ['frontController', { root, frontController: true }],
    ['tryFiles', { root, tryFiles: '/index.php' }],
    ['tryFiles', { root, tryFiles: ['$uri.html'] }],
    ['tryFiles', { root, tryFiles: ['/index.php', '$uri'], frontController: '/index.php' }],
    ['tryFiles', { root, tryFiles: ['=404'] }],
    ['tryFiles', { root, tryFiles: ['/a.php', '/index.php'] }],
    ['tryFiles', { root, tryFiles: ['$uri/../x.php'] }],
    ['tryFiles', { root, tryFiles: ['/../x.php'] }],
    ['splitPath', { root, splitPath: [] }],
    ['splitPath', { root, splitPath: '.php' }],
    ['splitPath', { root, splitPath: ['php'] }],
    ['splitPath', { root, splitPath: [''] }],
    ['splitPath', { root, splitPath: ['.ph\u017f'] }],
    ['allowSymlinksTo', { root, allowSymlinksTo: true }],
    ['allowSymlinksTo', { root, allowSymlinksTo: ['/missing/folder'] }],
    ['params', { root, params: 'x' }],
    ['params', { root, params: { A: 1 } }],
    ['params', { root, params: null }],
    ['maxBodySize', { root, maxBodySize: -1 }],
    ['maxBodySize', { root, maxBodySize: '1m' }],
    ['maxBodySize', { root, maxBodySize: 1.5 }],
    ['maxBodySize', { root, maxBodySize: Number.POSITIVE_INFINITY }],
    ['spoolMemory', { root, spoolMemory: Number.NaN }],
    ['spoolFolder', { root, spoolFolder: `${root}/missing` }],
    // a folder in which nobody can make a file, not even root
    ['spoolFolder', { root, spoolFolder: '/proc' }],
    ['trustedProxies', { root, trustedProxies: '10.0.0.1' }],
    ['trustedProxies', { root, trustedProxies: ['localhost'] }],
    ['trustedProxies', { root, trustedProxies: ['10.0.0.0/33'] }],
    ['trustedProxies', { root, trustedProxies: ['10.0.0.0/8/8'] }],
    ['trustedProxies', { root, trustedProxies: ['10.0.0.0/'] }],
    ['forwardedHeaders', { root, forwardedHeaders: ['x-real-ip'] }],
    ['forwardedHeaders', { root, forwardedHeaders: ['forwarded', 'x-forwarded-for'] }],
    ['fpmPages', { root, fpmPages: '/status' }],
    ['fpmPages', { root, fpmPages: ['status'] }],
    ['requestBuffering', { root, requestBuffering: 'on' }],
    ['bodyReadTimeout', { root, bodyReadTimeout: -1 }],
    ['bodyReadTimeout', { root, bodyReadTimeout: 2 ** 31 }],
    ['bodyReadTimeout', { root, bodyReadTimeout: '60s' }],
    ['responseBuffering', { root, responseBuffering: true }],
    ['responseBuffering', { root, responseBuffering: Number.NaN }],
    ['responseBufferTotal', { root, responseBufferTotal: -1 }],
    ['maxTempFileSize', { root, maxTempFileSize: '1g' }],
    ['maxTempFileSize', { root, maxTempFileSize: Number.POSITIVE_INFINITY }],
    ['sendTimeout', { root, sendTimeout: 0.5 }],
    ['resolveRootSymlink', { root, resolveRootSymlink: 1 }],
    ['resolveRootSymlink', { fpmRoot: '/srv', resolveRootSymlink: true }],
    ['resolveRootSymlink', { root, fpmRoot: '/srv', resolveRootSymlink: true }],
    ['onClientAbort', { root, onClientAbort: 'ignore' }],
    ['xAccelRedirect', { root, xAccelRedirect: '/srv' }],
    ['xAccelRedirect', { root, xAccelRedirect: { '/files': root } }],
    ['xAccelRedirect', { root, xAccelRedirect: { 'files/': root } }],
    ['xAccelRedirect', { root, xAccelRedirect: { '/files/': `${root}/missing` } }],
    ['xSendfile', { root, xSendfile: root }],
    ['xSendfile', { root, xSendfile: [`${root}/x.html`] }],
    ['errorPage', { root, errorPage: '<h1>' }],
    ['interceptErrors', { root, interceptErrors: true }],
    ['interceptErrors', { root, interceptErrors: [404] }],
    ['onError', { root, onError: 'log' }],
    ['onStderr', { root, onStderr: {} }],
    ['onEnd', { root, onEnd: true }],
    ['options', undefined],
    ['options', 'root'],
  ])('%s in %j', (option, options) => {
    expect(named(() => createHandler(new FakeDispatcher(), given(options)))).toBe(option);
    expect(named(() => createFetchHandler(new FakeDispatcher(), given(options)))).toBe(option);
  });

  it('a time that is longer than a timer takes, and the error says how long it may be', () => {
    const handler = (): unknown =>
      createFetchHandler(new FakeDispatcher(() => {}), { root, sendTimeout: 2 ** 31 });
    expect(handler).toThrow('sendTimeout must be a whole number of milliseconds from 0 to 2147483647');
  });

  it('something that is no Dispatcher', () => {
    expect(named(() => createHandler(given(undefined), { root }))).toBe('dispatcher');
    expect(named(() => createHandler(given('127.0.0.1:9000'), { root }))).toBe('dispatcher');
  });
});

describe('options', () => {
  it('have the defaults that the documentation says', () => {
    expect(readOptions({ root })).toMatchObject({
      fpmRoot: root,
      index: ['index.php'],
      frontController: undefined,
      splitPath: ['.php'],
      allowSymlinksTo: [],
      maxBodySize: 134_217_728,
      spool: { memory: 65_536, size: 134_217_728 },
      proxies: null,
      fpmPages: new Set(['/status', '/ping']),
      requestBuffering: true,
      bodyReadTimeout: 60_000,
      responseBuffering: 1_048_576,
      responseBufferTotal: 67_108_864,
      tempFile: null,
      sendTimeout: 60_000,
      resolveRootSymlink: false,
      outlivesClient: false,
      handover: null,
      interceptErrors: false,
    });
  });

  it('take false for responseBuffering as none', () => {
    expect(readOptions({ root, responseBuffering: false }).responseBuffering).toBe(0);
  });

  it('put no reply into a file where none is to be buffered', () => {
    expect(readOptions({ root, maxTempFileSize: 10 }).tempFile).toMatchObject({ size: 10 });
    expect(readOptions({ root, maxTempFileSize: 10, responseBuffering: false }).tempFile).toBeNull();
  });

  it('that are undefined are as if they were not there', () => {
    expect(
      readOptions(given({ root, index: undefined, onError: undefined, maxBodySize: undefined })),
    ).toMatchObject({
      index: ['index.php'],
      maxBodySize: 134_217_728,
    });
  });

  it('take 0 as no limit for maxBodySize, and as nothing in memory for spoolMemory', () => {
    expect(readOptions({ root, maxBodySize: 0, spoolMemory: 0 })).toMatchObject({
      maxBodySize: Number.POSITIVE_INFINITY,
      spool: { memory: 0, size: Number.POSITIVE_INFINITY },
    });
  });

  it('need no root where fpmRoot is given, and then check no front controller', () => {
    expect(readOptions({ fpmRoot: '/there', frontController: '/anything.php' })).toMatchObject({
      root: null,
      fpmRoot: '/there',
    });
  });
});

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('null and values of other kinds are mistakes, not defaults', () => {
  const options = membersOf(read, '../../src/gateway/options.ts', 'GatewayOptions').map(({ name }) => name);
  const wrongs = [null, Number.NaN, -1, Number.POSITIVE_INFINITY, Symbol('x'), 5n];

  it.each(options)('%s', (option) => {
    for (const value of wrongs) {
      expect(named(() => createHandler(new FakeDispatcher(), given({ root, [option]: value })))).toBe(option);
      expect(named(() => createMiddleware(new FakeDispatcher(), given({ root, [option]: value })))).toBe(
        option,
      );
    }
  });

  it.each(['cacheControl', 'immutable', 'precompressed', 'allow', 'memory'])('files.%s', (option) => {
    for (const value of wrongs) {
      const files = { [option]: value };
      expect(named(() => createHandler(new FakeDispatcher(), given({ root, files })))).toBe(
        `files.${option}`,
      );
    }
  });

  it('files.allow, a pattern: it would match nothing', () => {
    const files = { allow: ['.md', '*.yaml'] };
    expect(named(() => createHandler(new FakeDispatcher(), given({ root, files })))).toBe('files.allow');
  });

  it.each([[[]], [() => ({})], [new Map()], ['root']])('%s as the options, or as files', (value) => {
    expect(named(() => createHandler(new FakeDispatcher(), given(value)))).toBe('options');
    expect(named(() => createFetchHandler(new FakeDispatcher(), given(value)))).toBe('options');
    expect(named(() => createMiddleware(new FakeDispatcher(), given(value)))).toBe('options');
    expect(named(() => createHandler(new FakeDispatcher(), given({ root, files: value })))).toBe('files');
  });
});

it.each([
  [{ frontcontroller: '/app.php' }, 'frontController'],
  [{ file: true }, 'files'],
  [{ files: { cachecontrol: 'no-cache' } }, 'files.cacheControl'],
])('a misspelled name is answered with the one that is meant: %j', (options, meant) => {
  expect(() => createHandler(new FakeDispatcher(), given({ root, ...options }))).toThrow(
    `is it ${meant} that you mean?`,
  );
});
