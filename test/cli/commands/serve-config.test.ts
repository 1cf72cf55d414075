/** `serve --config`: options from a file, and several sites by the names of their hosts. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withConfig } from '../../../src/cli/args/config.ts';
import { parseServe, type ServeCommand } from '../../../src/cli/args/serve.ts';
import { run } from '../../../src/cli/main.ts';
import { Hosts } from '../../../src/cli/serve/hosts.ts';
import { configured } from '../../../src/cli/serve/prepare/read-config.ts';
import { waitFor, within } from '../../fpm/support/wait.ts';
import { FakeIo } from '../support/io.ts';
import { serve, serveInVain } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
});
afterEach(() => site.remove());

/** `target`: as it stands in the request line. */
async function ask(url: string, host: string, target = '/'): Promise<string> {
  const [response] = await once(get(url, { path: target, headers: { host } }), 'response');
  return textOf(response);
}

function read(content: unknown, ...typed: string[]): ServeCommand {
  const file = { name: 'site.json', content, resolve: (path: string) => `/srv/${path}` };
  return withConfig(parseServe([...typed, '--config', 'site.json']), file);
}

describe('serving', () => {
  it('sites by host name, each with a php-fpm of its own; the first one for all other names', async () => {
    site.put('one/index.php', '<?php echo "one ", ini_get("memory_limit");');
    site.put('two/app.php', '<?php echo "two ", $_SERVER["REQUEST_URI"], " ", ini_get("memory_limit");');
    const config = {
      ini: { memory_limit: '64M' },
      sites: [
        { hosts: 'one.example', docroot: 'one' },
        {
          hosts: ['two.example', '*.two.example'],
          docroot: 'two',
          frontController: '/app.php',
          ini: { memory_limit: '65M' },
        },
      ],
    };
    writeFileSync(join(site.path, 'sites.json'), JSON.stringify(config));
    await using served = await serve(site.parent, ['--config', 'site/sites.json', '--connections', '2']);
    const asked = ['one.example', 'TWO.example:80', 'www.two.example', 'other.example'];
    expect(await Promise.all(asked.map((host) => ask(`${served.url}/`, host)))).toEqual([
      'one 64M',
      'two / 65M',
      'two / 65M',
      'one 64M',
    ]);
    expect(await served.stop()).toBe(0);
    expect(site.filesLeft).toEqual([]);
  });

  it('the site of the host in a whole URL, which counts whatever Host says', async () => {
    for (const name of ['one', 'two']) {
      site.put(`${name}/index.php`, `<?php echo "${name} of ", $_SERVER["HTTP_HOST"];`);
      site.put(`${name}/a.txt`, `a file of ${name}`);
    }
    const sites = ['one', 'two'].map((name) => ({ hosts: [`${name}.example`], docroot: name }));
    site.put('sites.json', JSON.stringify({ sites }));
    await using served = await serve(site.path, ['--config', 'sites.json', '--connections', '1']);
    const targets = ['http://two.example/', 'HTTP://TWO.example:80/a.txt', 'http://one.example/a.txt'];
    expect(await Promise.all(targets.map((target) => ask(served.url, 'one.example', target)))).toEqual([
      'two of two.example',
      'a file of two',
      'a file of one',
    ]);
  });

  it('a module may make the object', async () => {
    site.put('index.php', '<?php echo $_SERVER["MODE"];');
    site.put('serve.mjs', 'export default async () => ({ param: { MODE: "module" } });');
    await using served = await serve(site.path, ['--config', 'serve.mjs']);
    expect(await text(served.url)).toBe('module');
  });

  it.each([
    ['a.json', '{', /--config 'a\.json' cannot be read: .*JSON/],
    ['a.json', '{\n  "index": "a.php",\n}', /'a\.json' cannot be read: .* in JSON at line 3, column 1$/m],
    [
      'a.json',
      '{\n  // my site\n}',
      /in JSON at line 2, column 3: JSON has no comments, which a module \(\.mjs\) may/,
    ],
    ['a.json', '# my site\n{}', /is not valid JSON: JSON has no comments/],
    ['a.json', '[]', /a\.json: it must hold an object/],
    ['a.mjs', 'throw new Error("oh")', /--config 'a\.mjs' cannot be read: oh/],
    ['a.mjs', 'export default Promise.reject(new Error("oh"))', /--config 'a\.mjs' cannot be read: oh/],
    ['a.json', '{ "docroot": "nowhere" }', /DOCROOT '.*nowhere' does not exist/],
  ])('%s: %s is named, and the status is 2', async (name, text, why) => {
    site.put(name, text);
    const { status, err } = await serveInVain(site.path, ['--config', name, '--check']);
    expect([status, err.split('\n').length]).toEqual([2, 2]);
    expect(err).toMatch(why);
  });
});

describe('a module that waits for ever', () => {
  it.each([
    ['in the function that it exports', 'export default () => new Promise(() => {});'],
    ['in what it exports', 'export default new Promise(() => {});'],
    ['before it exports anything', 'await new Promise(() => {}); export default {};'],
  ])('%s is given up, and said to wait', async (_, text) => {
    site.put('a.mjs', text);
    const command = parseServe(['--config', 'a.mjs']);
    await expect(configured(command, site.path, 5)).rejects.toThrow(
      "--config 'a.mjs' cannot be read: it has not said what it exports within 0.005 s: it waits for a promise",
    );
  });
});

it('a signal ends serve while it waits for its module', async () => {
  site.put('a.mjs', 'export default () => { globalThis.isAsked = true; return new Promise(() => {}); };');
  const io = new FakeIo(site.path);
  const ended = run(['serve', '--config', 'a.mjs'], io);
  await waitFor(() => 'isAsked' in globalThis);
  io.signal('SIGTERM');
  expect(await within(ended, 5000, 'the end of serve')).toBe(0);
});

describe('the file', () => {
  it('says what could be typed; paths are meant from its folder, and what is typed wins', () => {
    const content = {
      docroot: 'public',
      listen: ['127.0.0.1:1', 'unix:/run/a.sock'],
      listenMode: '0660',
      workers: 3,
      headersTimeout: 90,
      frontController: '/index.php',
      allowSymlinksTo: 'shared',
      param: { APP_ENV: 'dev' },
      compress: true,
      proxied: false,
      upstream: ['h:1 weight=2', 'h:2'],
    };
    const same = parseServe([
      ...['--listen', '127.0.0.1:1', '--listen', 'unix:/run/a.sock', '--listen-mode', '0660'],
      ...['--workers', '3', '--headers-timeout', '90', '--front-controller', '/index.php'],
      ...['--allow-symlinks-to', '/srv/shared', '--param', 'APP_ENV=dev', '--compress'],
      ...['--upstream', 'h:1 weight=2', '--upstream', 'h:2', '/srv/public'],
    ]);
    const { args: _, ...expected } = same;
    expect(read(content)).toMatchObject(expected);
    const typed = read(content, '--listen', 'h:7', '--upstream', 'h:9', '--workers', '1', 'other');
    expect(typed.listen).toEqual([{ host: 'h', port: 7, tls: false }]);
    expect([typed.workers, typed.sites[0].docroot, typed.sites[0].upstream]).toEqual([
      1,
      'other',
      [{ address: 'h:9' }],
    ]);
  });

  it.each<[object, string[], object]>([
    [{ accessLog: 'a.log' }, ['--quiet'], { quiet: true, accessLog: null }],
    [{ quiet: true }, ['--access-log', 'a.log'], { quiet: false, accessLog: 'a.log' }],
    [{ tlsCert: 'c', tlsKey: 'k' }, ['--tls'], { tls: 'localhost' }],
    [{ tls: true }, ['--tls-cert', 'c', '--tls-key', 'k'], { tls: { cert: 'c', key: 'k' } }],
    [{ tlsCert: 'c', tlsKey: 'k' }, ['--tls-cert', 'd'], { tls: { cert: 'd', key: '/srv/k' } }],
    [{ fpm: '/opt/php-fpm' }, ['--php', '8.3'], { sites: [{ fpm: null, php: '8.3' }] }],
    [{ php: '8.3' }, ['--fpm', '/opt/php-fpm'], { sites: [{ fpm: '/opt/php-fpm', php: null }] }],
  ])('%j gives way to %j, which does not go with it', (content, typed, expected) => {
    expect(read(content, ...typed)).toMatchObject(expected);
  });

  it.each<[object, string[], object]>([
    [
      { tlsCert: 'c', tlsKey: 'k' },
      ['--listen', 'https://h:1'],
      { listen: [{ host: 'h', port: 1, tls: true }] },
    ],
    [{ tls: true }, ['--listen', 'h:1'], { listen: [{ host: 'h', port: 1, tls: true }] }],
    [{ listen: 'unix:/run/a.sock' }, ['--listen-mode', '0660'], { listenMode: 0o660 }],
  ])('%j has what %j needs', (content, typed, expected) => {
    expect(read(content, ...typed)).toMatchObject(expected);
  });

  it.each([
    [['--listen', 'https://h:1'], /^site\.json: listen https:\/\/h:1 needs tlsCert or tls$/],
    [['--tls-cert', 'c'], /^site\.json: tlsCert needs tlsKey$/],
  ])('that has not what %j needs is said so', (typed, why) => {
    expect(() => read({}, ...typed)).toThrow(why);
  });

  it('may name a php-fpm that is looked for in PATH, or one by its path', () => {
    expect(read({ fpm: 'php-fpm8.2' }).sites[0].fpm).toBe('php-fpm8.2');
    expect(read({ fpm: 'bin/php-fpm' }).sites[0].fpm).toBe('/srv/bin/php-fpm');
  });

  it('gives to its sites what it says for all, and what is typed', () => {
    const sites = [
      { hosts: ['A.example'], docroot: 'a' },
      { hosts: ['*.b.example'], index: 'b.php' },
    ];
    const read1 = read({ docroot: 'all', index: 'all.php', connections: 3, sites }, '--max-body', '1k');
    expect(
      read1.sites.map(({ hosts, docroot, index, connections, maxBody }) => {
        return [hosts, docroot, index, connections, maxBody];
      }),
    ).toEqual([
      [['a.example'], '/srv/a', 'all.php', 3, 1024],
      [['*.b.example'], '/srv/all', 'b.php', 3, 1024],
    ]);
  });

  it.each<[unknown, RegExp]>([
    [
      { frontControler: '/i.php' },
      /^site\.json: there is no option frontControler: is frontController meant\?$/,
    ],
    [
      { frontcontroller: '/i.php' },
      /^site\.json: there is no option frontcontroller: it is called frontController here$/,
    ],
    [
      { 'front-controller': '/i.php' },
      /^site\.json: there is no option front-controller: it is called frontController here$/,
    ],
    [
      { sites: [{ hosts: ['a'], max_body: '1k' }] },
      /^site\.json: there is no option sites\[0\]\.max_body: it is called maxBody here$/,
    ],
    [{ frontController: 'i.php' }, /^site\.json: frontController must be a path/],
    [{ compress: 'yes' }, /^site\.json: compress must be true or false$/],
    [{ accessLog: 'off' }, /^site\.json: accessLog must be a file, not 'off': quiet keeps no log/],
    [{ accessLog: '-' }, /^site\.json: accessLog must be a file, not '-'/],
    [{ index: ['a'] }, /^site\.json: index must be a string or a number$/],
    [{ listen: [8080, {}] }, /^site\.json: listen must be a string or a number, or a list of them$/],
    [{ ini: { memory_limit: null } }, /^site\.json: ini\.memory_limit must be a string or a number$/],
    [JSON.parse('{"__proto__": 1}'), /^site\.json: there is no option __proto__$/],
    [{ docroot: 1 }, /^site\.json: docroot must be a string$/],
    [{ config: 'b.json' }, /^site\.json: there is no option config$/],
    [{ sites: [] }, /^site\.json: sites must be a list of objects$/],
    [{ sites: [1] }, /^site\.json: sites\[0\] must be an object$/],
    [{ sites: [{ docroot: 'a' }] }, /^site\.json: sites\[0\]\.hosts must be a list of host names$/],
    [{ sites: [{ hosts: ['a b'] }] }, /^site\.json: sites\[0\]\.hosts: 'a b' is no host name/],
    [{ sites: [{ hosts: ['a'] }, { hosts: ['A'] }] }, /^site\.json: sites\[1\]\.hosts: a is there twice$/],
    [
      { sites: [{ hosts: ['a'], listen: 'h:1' }] },
      /^site\.json: there is no option sites\[0\]\.listen: it is for the whole server$/,
    ],
    [{ sites: [{ hosts: ['a'], index: '.x' }] }, /^site\.json: sites\[0\]: index must be the name of a file/],
  ])('%j is refused, by its name', (content, why) => {
    expect(() => read(content)).toThrow(why);
  });
});

it('an exact host name wins over a pattern, a longer pattern over a shorter one', () => {
  const hosts = new Hosts([
    { hosts: ['first.example'] },
    { hosts: ['*.example'] },
    { hosts: ['*.a.example'] },
    { hosts: ['x.a.example', '[::1]'] },
  ]);
  const found = (host?: string): number => hosts.find(host);
  expect(['first.example', 'b.example', 'y.a.example', 'x.a.example'].map(found)).toEqual([0, 1, 2, 3]);
  expect(['X.A.Example.:8080', '[::1]:80', 'a.example', 'example'].map(found)).toEqual([3, 3, 1, 0]);
  expect([found(undefined), found(''), found('...')]).toEqual([0, 0, 0]);
});
