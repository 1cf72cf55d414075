import type http from 'node:http';
import { describe, expect, it } from 'vitest';
import { currentHeaders } from '../../../src/gateway/request/request-headers.ts';
import { rawServer } from '../raw.ts';

/** What is left of the headers of a request, as node's own parser reads it. */
async function left(
  lines: readonly string[],
  change: (request: http.IncomingMessage) => void,
): Promise<string[]> {
  let seen: string[] = [];
  const server = await rawServer((request, response) => {
    change(request);
    seen = currentHeaders(request.rawHeaders, request.headers).map((pair) => pair.join(': '));
    response.end();
  });
  await server.exchange(['GET / HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n'));
  await server.close();
  return seen.filter((line) => line !== 'Connection: close');
}

const lines = [
  'Host: a.example',
  'X-User: mallory',
  'Cookie: a=1',
  'Accept: a',
  'Cookie: b=2',
  'accept: b',
  'Referer: 1',
  'Referer: 2',
  'Set-Cookie: x',
  'X-Twice: same',
  'X-Twice: same',
  'X-Empty:',
];
const came = lines.map((line) => (line === 'X-Empty:' ? 'X-Empty: ' : line));
const without = (name: string): string[] => came.filter((line) => !line.toLowerCase().startsWith(`${name}:`));

describe('the headers of a request', () => {
  it('are those that came, in their order, repeated ones as well', async () => {
    expect(await left(lines, () => {})).toEqual(came);
  });

  it.each(['x-user', 'cookie', 'accept', 'referer', 'set-cookie', 'x-twice', 'x-empty'])(
    'are without %s where a middleware has taken it away',
    async (name) => {
      const change = ({ headers }: http.IncomingMessage): void => void delete headers[name];
      expect(await left(lines, change)).toEqual(without(name));
      const unset = ({ headers }: http.IncomingMessage): void => {
        headers[name] = undefined;
      };
      expect(await left(lines, unset)).toEqual(without(name));
    },
  );

  it.each(['x-user', 'cookie', 'accept', 'referer', 'x-twice', 'x-new'])(
    'have the value of %s that a middleware has set, and it alone',
    async (name) => {
      const change = ({ headers }: http.IncomingMessage): void => {
        headers[name] = 'alice';
      };
      expect(await left(lines, change)).toEqual([...without(name), `${name}: alice`]);
    },
  );

  it('are those of the object where a request has no others', () => {
    const headers = { host: 'a.example', cookie: 'a=1', 'x-list': ['1', '2'], 'content-length': 5 };
    expect(currentHeaders([], headers)).toEqual([
      ['host', 'a.example'],
      ['cookie', 'a=1'],
      ['x-list', '1'],
      ['x-list', '2'],
      ['content-length', '5'],
    ]);
  });

  it('take no long time where one of them comes very often', () => {
    const raw = Array.from({ length: 50_000 }, () => ['a', '']).flat();
    const begin = performance.now();
    const seen = currentHeaders(raw, { a: ', '.repeat(49_999) });
    expect(seen.length).toBe(50_000);
    expect(performance.now() - begin).toBeLessThan(3000);
  });
});
