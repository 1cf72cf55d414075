/** An active check: one request on a connection of its own that is not kept, so that it holds no worker. */
import type { Runtime } from '../../connection/runtime.ts';
import type { Target } from '../../connection/socket/address.ts';
import type { PoolSettings } from '../../pool/options.ts';
import { schedulerOf } from '../../pool/pool.ts';
import type { CheckSettings } from '../options.ts';

/** Resolves to whether the server answered with a status below 400. */
export function check(
  target: Target,
  { params, timeout }: CheckSettings,
  pool: PoolSettings,
  runtime: Runtime,
): Promise<boolean> {
  const own: PoolSettings = {
    ...pool,
    connections: 1,
    keepalive: 0,
    queueTimeout: timeout,
    connectTimeout: timeout,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    timeout,
    retry: 'never',
  };
  const scheduler = schedulerOf(target, own, runtime);
  return new Promise((resolve) => {
    let status = 0;
    const over = (passed: boolean): void => {
      resolve(passed);
      void scheduler.close();
    };
    scheduler.dispatch(
      { params },
      {
        onResponseStart: (_, statusCode) => {
          status = statusCode;
        },
        onResponseData: () => {},
        onResponseEnd: () => over(status < 400),
        onResponseError: () => over(false),
      },
    );
  });
}
