/** The names of downloads, which node's HTTP/1 would read as UTF-8 and write as something else. */
import http from 'node:http';
import { afterAll, expect, it } from 'vitest';
import { createFetchHandler, type FetchHandler } from '../../../src/gateway/fetch.ts';
import { createHandler, type NodeResponse } from '../../../src/gateway/node.ts';
import { asciiDisposition } from '../../../src/gateway/reply/in-ascii.ts';
import { answer, FakeDispatcher } from '../fake-dispatcher.ts';
import { rawServer } from '../raw.ts';
import { tempSite } from '../temp-site.ts';

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

it.each([
  ['attachment; filename="a b.txt"', 'attachment; filename="a b.txt"'],
  [bytes('attachment; filename="č.txt"'), `attachment; filename="_.txt"; filename*=UTF-8''%C4%8D.txt`],
  [
    bytes('attachment; filename=č.txt; size=3'),
    `attachment; filename=_.txt; size=3; filename*=UTF-8''%C4%8D.txt`,
  ],
  [bytes('attachment; filename="a\\"č"'), `attachment; filename="a\\"_"; filename*=UTF-8''a%22%C4%8D`],
  [
    bytes('inline; FileName = "č\'(*).txt"'),
    `inline; FileName = "_'(*).txt"; filename*=UTF-8''%C4%8D%27%28%2A%29.txt`,
  ],
  // no UTF-8: each byte is a character
  ['attachment; filename="caf\xe9"', `attachment; filename="caf_"; filename*=UTF-8''caf%C3%A9`],
  // PHP has said so itself
  [bytes(`attachment; filename="č"; filename*=UTF-8''x`), `attachment; filename="_"; filename*=UTF-8''x`],
  [bytes('č'), '_'],
  [bytes('attachment; filename="č'), 'attachment; filename="_'],
])('%j in ASCII is %j', (given, expected) => {
  expect(asciiDisposition(given)).toBe(expected);
});

const site = tempSite({ 'a.php': '', 'files/report.txt': 'report' });
afterAll(() => site.remove());
const evil = bytes('attachment; filename="\u010d\u010aX-Evil: 1"');

it.each([
  ['a page', [], () => {}, evil],
  ['a page behind a middleware with a length of its own', [], setLength, evil],
  [
    'a page behind a middleware that keeps it back',
    [],
    keepBack,
    `attachment; filename="_X-Evil: 1"; filename*`,
  ],
  ['a file that PHP hands over', ['X-Sendfile', `${site.root}/files/report.txt`], () => {}, evil],
] as const)('%s has the name, and no header is made of it', async (_, more, wrap, expected) => {
  const php = createHandler(new FakeDispatcher(answer(200, ['Content-Disposition', evil, ...more], 'page')), {
    root: site.root,
    xSendfile: [`${site.root}/files`],
  });
  const server = await rawServer((request, response) => {
    if (response instanceof http.ServerResponse) wrap(response);
    php(request, response);
  });
  const { text } = await server.exchange('GET /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await server.close();
  expect(text).toContain(`Content-Disposition: ${expected}`);
  expect(text).not.toMatch(/[\r\n]X-Evil/);
  expect(text).toMatch(/\r\n\r\n(?:page|report)$/);
});

function setLength(response: http.ServerResponse): void {
  response.setHeader('Content-Length', '999');
}

/** As what minifies pages does. */
function keepBack(response: http.ServerResponse): void {
  const end = response.end.bind(response);
  response.end = (chunk?: unknown) => end(Buffer.from(chunk as Uint8Array));
}

/** As many servers pass a Response on. */
async function passOn(given: Response, response: NodeResponse): Promise<void> {
  response.statusCode = given.status;
  for (const [name, value] of given.headers) response.setHeader(name, value);
  response.end(Buffer.from(await given.arrayBuffer()));
}

const fetched = (...fields: string[]): FetchHandler =>
  createFetchHandler(new FakeDispatcher(answer(200, fields, 'page')), {
    root: site.root,
    xSendfile: [`${site.root}/files`],
  });

it.each([
  ['a page', []],
  ['a file that PHP hands over', ['X-Sendfile', `${site.root}/files/report.txt`]],
])('%s that comes as a Response has the name, and no header is made of it', async (_, more) => {
  const handler = fetched('Content-Disposition', evil, ...more);
  const server = await rawServer(async (request, response) =>
    passOn(await handler(new Request(`http://a.example${request.url}`)), response),
  );
  const { text } = await server.exchange('GET /a.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await server.close();
  expect(text).toMatch(
    /content-disposition: attachment; filename="_X-Evil: 1"; filename\*=UTF-8''%C4%8D%C4%8AX-Evil%3A%201\r\n/i,
  );
  expect(text).not.toMatch(/[\r\n]X-Evil/);
  expect(text).toMatch(/\r\n\r\n(?:page|report)$/);
});

it('where a Response leads to is a URL, whatever its server makes of bytes', async () => {
  const response = await fetched('Location', bytes('/café?x=č'))(new Request('http://a.example/a.php'));
  expect(response.headers.get('location')).toBe('/caf%C3%A9?x=%C4%8D');
});
