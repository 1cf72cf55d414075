/** Is a server there that is known to answer FCGI_GET_VALUES? Asked on a connection of its own, for as long as that takes. */
import type { Clock } from '../../connection/clock.ts';
import type { Runtime } from '../../connection/runtime.ts';
import type { Target } from '../../connection/socket/address.ts';
import { ReadBuffer } from '../../connection/socket/read-buffer.ts';
import { encodeGetValues } from '../../protocol/encoder.ts';

/** ms for the connection, and again for the answer: a worker must be free for it. */
const TIMEOUT = 1000;

/** False: no answer in time. Never rejects. */
export async function isThere(target: Target, { connect }: Runtime, clock: Clock): Promise<boolean> {
  const { signal } = new AbortController();
  try {
    const options = { timeout: TIMEOUT, clock, readBuffer: new ReadBuffer(), signal };
    const { socket, incoming } = await connect(target, options);
    return await new Promise((resolve) => {
      const over = (answered: boolean): void => {
        cancel();
        socket.destroy();
        resolve(answered);
      };
      const cancel = clock.after(TIMEOUT, () => over(false));
      // Whatever it says: it is known to be one that answers, and a host that hangs says nothing.
      incoming.receive = () => over(true);
      socket.on('end', () => over(false));
      socket.on('error', () => over(false));
      socket.write(encodeGetValues());
    });
  } catch {
    return false;
  }
}
