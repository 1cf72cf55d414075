/** A mock that takes what a Pool refuses would let a fault of the application pass its tests. */
import { describe, expect, it } from 'vitest';
import type { DispatchRequest } from '../../src/index.ts';
import { Pool } from '../../src/index.ts';
import { MockDispatcher, startFakeFpm } from '../../src/testing/index.ts';

const GET = { REQUEST_METHOD: 'GET', SCRIPT_FILENAME: '/a.php' };
const POST = { REQUEST_METHOD: 'POST', SCRIPT_FILENAME: '/a.php' };
const pieces = async function* (): AsyncGenerator<string> {
  yield 'abc';
  yield 'de';
};

const cases: readonly (readonly [string, () => unknown])[] = [
  ['nothing', () => undefined],
  ['a text', () => 'GET /'],
  ['no params', () => ({})],
  ['a Map of params', () => ({ params: new Map([['REQUEST_METHOD', 'GET']]) })],
  ['Headers as params', () => ({ params: new Headers({ REQUEST_METHOD: 'GET' }) })],
  ['an array of params', () => ({ params: [['REQUEST_METHOD', 'GET']] })],
  ['no method', () => ({ params: { SCRIPT_FILENAME: '/a.php' } })],
  ['an empty method', () => ({ params: { ...GET, REQUEST_METHOD: '' } })],
  ['a number as param', () => ({ params: { ...GET, SERVER_PORT: 80 } })],
  ['a number as CONTENT_LENGTH', () => ({ params: { ...POST, CONTENT_LENGTH: 3 }, body: 'abc' })],
  ['a name that nobody knows', () => ({ params: GET, headerTimeout: 5 })],
  ['a CONTENT_LENGTH in words', () => ({ params: { ...POST, CONTENT_LENGTH: 'three' }, body: 'abc' })],
  ['a shorter CONTENT_LENGTH', () => ({ params: { ...POST, CONTENT_LENGTH: '2' }, body: 'abc' })],
  ['a longer CONTENT_LENGTH', () => ({ params: { ...POST, CONTENT_LENGTH: '4' }, body: 'abc' })],
  ['a stream longer than it says', () => ({ params: { ...POST, CONTENT_LENGTH: '4' }, body: pieces() })],
  ['a stream shorter than it says', () => ({ params: { ...POST, CONTENT_LENGTH: '6' }, body: pieces() })],
];

describe('a mock refuses as a Pool does', () => {
  it.each(cases)('%s', async (_, made) => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const mock = new MockDispatcher({ body: 'ok' });
    const refusalOf = (to: Pool | MockDispatcher): Promise<unknown> =>
      to.request(made() as DispatchRequest).then(
        () => 'answered',
        ({ name, code, option }) => ({ name, code, option }),
      );
    const byPool = await refusalOf(pool);
    expect(byPool).toMatchObject({ name: 'ArgumentError' });
    expect(await refusalOf(mock)).toEqual(byPool);
    expect(mock.requests).toEqual([]);
  });

  it('and takes what a Pool takes', async () => {
    const mock = new MockDispatcher({ body: 'ok' });
    for (const request of [
      { params: GET },
      { params: { ...POST, CONTENT_LENGTH: '5' }, body: pieces() },
      { params: { ...POST, CONTENT_LENGTH: Buffer.from('3') }, body: 'abc', timeout: 5, headersTimeout: 5 },
      { params: Object.assign(Object.create(null), GET) },
    ])
      expect(await (await mock.request(request)).body.text()).toBe('ok');
  });
});
