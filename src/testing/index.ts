/** Doubles for tests: a PHP-FPM without PHP, and a Dispatcher without a socket. */
export { type FakeFpm, startFakeFpm } from './fake-fpm.ts';
export { MockDispatcher, type MockScript, type MockStats } from './mock-dispatcher.ts';
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
} from './mock-types.ts';
export type { FakeFpmOptions } from './options.ts';
export type { EndOptions, FakeRequest, FakeResponse, FakeScript, RequestBody } from './script.ts';
