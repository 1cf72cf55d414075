/**
 * This folder: doubles for tests of those who use the pool. It imports protocol and the errors only, lest it
 * shares a mistake with the client.
 */
/**
 * Doubles for tests of your own code.
 *
 * - `MockDispatcher` stands for a Pool or an Upstream, without a socket: for code that is given a Dispatcher, a
 *   handler of `fastcgi-pool/node` or `fastcgi-pool/fetch` among it.
 * - `startFakeFpm` stands for PHP-FPM, on a real socket: for code that makes its own Pool, and for what happens when
 *   workers are recycled, reloaded, killed, slow or too few.
 *
 * Neither knows a test runner.
 */
export { type FakeFpm, startFakeFpm } from './fake-fpm.ts';
export { MockDispatcher, type MockOptions, type MockScript, type MockStats } from './mock/dispatcher.ts';
export type {
  MockAnswer,
  MockController,
  MockDispatchRequest,
  MockEnded,
  MockHandler,
  MockHeaders,
  MockResponse,
  MockResponseBody,
  RecordedRequest,
} from './mock/types.ts';
export type { FakeFpmOptions } from './options.ts';
export type { EndOptions, FakeRequest, FakeResponse, FakeScript, RequestBody } from './script.ts';
