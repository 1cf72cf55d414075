/** @fastify/static beside the plugin: both start, files are served, source is not. */
import fastifyStatic from '@fastify/static';
import fastify from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import fastcgi from '../../src/gateway/fastify.ts';
import { FakeDispatcher } from './fake-dispatcher.ts';
import { tempSite } from './temp-site.ts';

const secret = '<?php TOPSECRET';
const names = ['index.php', 'config.php', 'lib.inc', 'x.php.txt', 'sub/a.php'];
const site = tempSite({ ...Object.fromEntries(names.map((name) => [name, secret])), 'style.css': 'a{}' });
afterAll(() => site.remove());

describe.each([true, false])('wildcard: %s', (wildcard) => {
  it.each(['before', 'behind'])('@fastify/static %s the plugin', async (place) => {
    const php = new FakeDispatcher((exchange) => {
      exchange.head(200, ['Content-Type', 'text/plain']);
      exchange.data(`ran ${exchange.params['SCRIPT_NAME']}`);
      exchange.end();
    });
    const app = fastify();
    const addStatic = async (): Promise<void> => {
      await app.register(fastifyStatic, { root: site.root, wildcard });
    };
    if (place === 'before') await addStatic();
    app.get('/own', async () => 'own');
    app.register(fastcgi, { dispatcher: php, root: site.root });
    if (place === 'behind') await addStatic();
    await app.ready();
    const got: Record<string, string> = {};
    for (const url of [
      '/',
      '/config.php',
      '/sub/a.php',
      '/lib.inc',
      '/x.php.txt',
      '/style.css',
      '/own',
      '/none',
    ]) {
      const { statusCode, body } = await app.inject(url);
      got[url] = statusCode === 200 ? body : String(statusCode);
    }
    expect(got).toEqual({
      '/': 'ran /index.php',
      '/config.php': 'ran /config.php',
      '/sub/a.php': 'ran /sub/a.php',
      '/lib.inc': '404',
      '/x.php.txt': '404',
      '/style.css': 'a{}',
      '/own': 'own',
      '/none': '404',
    });
    await app.close();
  });
});
