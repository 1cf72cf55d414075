/** The library at work: so many requests at a time until a number of them is done. */
import type { Dispatcher, DispatchHandler, DispatchRequest } from '../../../src/index.ts';
import type { Work } from './measure.ts';

/** By dispatch(), with a handler that does nothing. */
export function dispatching(
  pool: Pick<Dispatcher, 'dispatch'>,
  request: DispatchRequest,
  lanes: number,
): Work {
  return (count) =>
    new Promise((resolve, reject) => {
      let begun = 0;
      let done = 0;
      const begin = (): void => {
        if (begun === count) return;
        begun++;
        pool.dispatch(request, handler);
      };
      const handler: DispatchHandler = {
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd() {
          done++;
          if (done === count) resolve();
          else begin();
        },
        onResponseError: (_controller, error) => reject(error),
      };
      for (let lane = 0; lane < lanes; lane++) begin();
    });
}

/** By request() and body.text(). */
export function requesting(pool: Dispatcher, request: DispatchRequest, lanes: number): Work {
  return async (count) => {
    let begun = 0;
    const lane = async (): Promise<void> => {
      while (begun < count) {
        begun++;
        const response = await pool.request(request);
        await response.body.text();
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
}
