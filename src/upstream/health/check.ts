/** An active check: one request on a connection of its own that is not kept, so that it holds no worker. */
import type { Runtime } from '../../connection/runtime.ts';
import type { Target } from '../../connection/socket/address.ts';
import type { PoolSettings } from '../../pool/options.ts';
import { schedulerOf } from '../../pool/pool.ts';
import type { Params } from '../../protocol/params.ts';

/** `timeout` in ms. Resolves with '' where the server answered with a status below 400, else with what was wrong. */
export function check(
  target: Target,
  params: Params,
  timeout: number,
  settings: PoolSettings,
  runtime: Runtime,
): Promise<string> {
  const own: PoolSettings = {
    ...settings,
    connections: 1,
    keepalive: 0,
    queueTimeout: timeout,
    connectTimeout: timeout,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    retry: 'never',
  };
  const scheduler = schedulerOf(target, own, runtime);
  return new Promise((resolve) => {
    let status = 0;
    const over = (why: string): void => {
      resolve(why);
      void scheduler.close();
    };
    scheduler.dispatch(
      { params },
      {
        onResponseStart: (_, statusCode) => {
          status = statusCode;
        },
        onResponseData: () => {},
        onResponseEnd: () => over(status < 400 ? '' : `the check was answered with ${status}`),
        onResponseError: (_, error) => over(error instanceof Error ? error.message : String(error)),
      },
    );
  });
}
