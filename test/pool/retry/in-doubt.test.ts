/** What one attempt has left in the dark stays there. */
import { expect, it } from 'vitest';
import { type Executed, SocketError } from '../../../src/errors.ts';
import { keepInDoubt } from '../../../src/pool/retry/in-doubt.ts';

const EARLIER = 'An attempt before this one may have run';

it.each<[Executed, string, number, Executed, string]>([
  ['no', 'it left', 1, 'unknown', 'it left'],
  ['no', '', 1, 'unknown', ''],
  ['no', 'it left', 2, 'unknown', `it left. ${EARLIER}`],
  ['no', '', 2, 'unknown', EARLIER],
  ['unknown', 'it died', 2, 'unknown', 'it died'],
  ['yes', 'it died', 2, 'yes', 'it died'],
])('%s, "%s", attempt %i: %s, "%s"', (executed, hint, attempts, verdict, told) => {
  const error = new SocketError('FCGI_ERR_SOCKET_RESET', 'reset', { facts: { executed, hint } });
  keepInDoubt(error, attempts);
  expect({ executed: error.executed, hint: error.hint }).toEqual({ executed: verdict, hint: told });
});
