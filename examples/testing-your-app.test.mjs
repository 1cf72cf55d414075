// Tests without PHP: node --test examples/testing-your-app.test.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool } from 'fastcgi-pool';
import { MockDispatcher, startFakeFpm } from 'fastcgi-pool/testing';

/** What is to be tested: it is given a Dispatcher, so a test can give it another one. */
async function greet(fpm, name) {
  const params = { SCRIPT_FILENAME: '/srv/app/greet.php', REQUEST_METHOD: 'POST' };
  const response = await fpm.request({ params, body: name });
  if (response.statusCode !== 200) throw new Error(`greet.php answered ${response.statusCode}`);
  return response.body.text();
}

test('greets whoever is named, and says so when PHP fails', async () => {
  // No socket: a function takes the place of PHP-FPM.
  const php = new MockDispatcher(({ text }) => (text ? { body: `Hello, ${text}` } : { statusCode: 500 }));

  assert.equal(await greet(php, 'Ada'), 'Hello, Ada');
  await assert.rejects(greet(php, ''), /answered 500/);
  assert.equal(php.requests[0].params.REQUEST_METHOD, 'POST');
});

test('loses no greeting where PHP-FPM recycles its workers', async (t) => {
  // A real socket and real FastCGI: this one closes each connection after three requests, as pm.max_requests does.
  const fake = await startFakeFpm({
    maxRequests: 3,
    script: async (request, response) => {
      await response.stdout(`Content-Type: text/plain\r\n\r\nHello, ${await request.text()}`);
    },
  });
  const fpm = new Pool(fake.address);
  t.after(async () => {
    await fpm.close();
    await fake.stop();
  });

  for (let i = 0; i < 20; i++) assert.equal(await greet(fpm, `visitor ${i}`), `Hello, visitor ${i}`);
  assert.equal(fake.requests.length, 20);
});
