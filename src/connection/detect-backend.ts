/**
 * Is it PHP-FPM, and is there a proxy in between? Found out on connections that carry no request: first by
 * FCGI_GET_VALUES, which PHP-FPM answers in its own way, then by two malformed records. A worker of PHP-FPM reads the
 * header of the first and closes; as the second lies unread, the kernel sends a reset. A TCP proxy has read both, and
 * closes with a FIN. Some proxies turn each close into a reset, or pass each one on as it was. So one malformed record
 * alone is sent as well: PHP-FPM itself then closes with a FIN, and its kernel refuses what is sent after it.
 */
import { RecordType } from '../protocol/constants.ts';
import { encodeGetValues } from '../protocol/encoder.ts';
import { encodeRecord } from '../protocol/record.ts';
import { ResponseDecoder } from '../protocol/response.ts';
import type { Clock } from './clock.ts';
import { probe } from './evidence/probe.ts';
import type { Connected } from './socket/connect.ts';

export interface DetectedBackend {
  /** What it answered; null: nothing that is an answer. */
  readonly values: ReadonlyMap<string, unknown> | null;
  /** There is no proxy in between. Null: that could not be seen. */
  readonly isDirect: boolean | null;
  /** ms from the connect to the answer: it has waited so long for a worker. */
  readonly answeredAfter: number;
}

interface ProbeResult {
  readonly values: DetectedBackend['values'];
  readonly answeredAfter: number;
  /**
   * How the connection ended. `'half-closed'`: by a FIN, and what we send on is still taken. `'refused'`: it had been closed before
   * it was sent the latest.
   */
  readonly end: 'reset' | 'fin' | 'half-closed' | 'refused' | 'silence';
}

interface DetectOptions {
  readonly transport: 'unix' | 'tcp';
  readonly clock: Clock;
  /** ms, for each connection. */
  readonly timeout: number;
  readonly stop: AbortSignal;
}

/** The probe's: nothing hangs on what had come of it. */
const NO_REQUEST = { requestId: 1, readBeforeScript: false, terminatorSent: false };

/** Resolves in time, or when it is told to stop, and closes the connection. `unread`: records. */
function probeConnection(
  connected: Connected,
  { transport, clock, timeout, stop }: DetectOptions,
  { ask, unread }: { readonly ask: boolean; readonly unread: 0 | 1 },
): Promise<ProbeResult> {
  const { socket, incoming } = connected;
  return new Promise((resolve) => {
    const begun = clock.now();
    let answeredAfter = 0;
    let values: ProbeResult['values'] = null;
    let over = false;
    let stopProbe: (() => void) | null = null;
    const finish = (end: ProbeResult['end']): void => {
      if (over) return;
      over = true;
      cancel();
      stopProbe?.();
      stop.removeEventListener('abort', stopped);
      socket.destroy();
      resolve({ values, answeredAfter, end });
    };
    const stopped = (): void => finish('silence');
    const cancel = clock.after(timeout, stopped);
    stop.addEventListener('abort', stopped);
    if (stop.aborted) stopped();
    const provoke = (): void => {
      const malformed = encodeRecord(RecordType.BEGIN_REQUEST, 0);
      socket.write(unread === 0 ? malformed : Buffer.concat([malformed, malformed]));
    };
    const decoder = new ResponseDecoder({
      onStdout() {},
      onStderr() {},
      onEndRequest() {},
      onValues(answer) {
        values = answer;
        answeredAfter = clock.now() - begun;
        provoke();
      },
    });
    incoming.receive = (bytes, length) => {
      try {
        decoder.push(bytes, length);
      } catch {
        finish('silence');
      }
    };
    socket.on('end', () => {
      if (unread > 0) {
        finish('fin');
        return;
      }
      // The server has said what it had to say. The rest is our kernel's, which is slow where there are thousands of sockets.
      cancel();
      stopProbe = probe({ ...connected, transport }, NO_REQUEST, 0, clock, (afterFin) =>
        finish(afterFin === 'accepted' ? 'half-closed' : 'fin'),
      );
    });
    socket.on('error', (error) => {
      // The probe's own writes fail too, and it knows by that.
      if (stopProbe !== null) return;
      if (error.code === 'EPIPE') finish('refused');
      else finish(error.code === 'ECONNRESET' ? 'reset' : 'silence');
    });
    if (ask) {
      decoder.ask();
      socket.write(encodeGetValues());
    } else {
      provoke();
    }
  });
}

/** So often it begins anew, where a server that shuts down may have been met. */
const TRIES = 3;

/** On as many connections as it takes. Rejects as `connect` does. */
export async function detectBackend(
  connect: () => Promise<Connected>,
  options: DetectOptions,
): Promise<DetectedBackend> {
  const openAndProbe = async (ask: boolean, unread: 0 | 1): Promise<ProbeResult> =>
    probeConnection(await connect(), options, { ask, unread });
  let proxySeen = false;
  for (let tries = TRIES; ; tries--) {
    const first = await openAndProbe(true, 1);
    const { values, answeredAfter } = first;
    // A server that shuts down closes without an answer: the one that takes its place will answer.
    if (values === null && first.end !== 'silence' && tries > 1) continue;
    if (values === null) return { values, isDirect: null, answeredAfter };
    const isDirect = await isDirectBy(first, openAndProbe);
    // One that shuts down resets what it has not accepted, too, or ends what it has not been sent yet. A proxy does so each time.
    if (isDirect !== false || proxySeen || tries === 1) return { values, isDirect, answeredAfter };
    proxySeen = true;
  }
}

/** See DetectedBackend. */
async function isDirectBy(
  first: ProbeResult,
  openAndProbe: (ask: boolean, unread: 0 | 1) => Promise<ProbeResult>,
): Promise<boolean | null> {
  // PHP-FPM before 8.2 closes behind its answer, as does a worker that is told to leave: it has not seen the rest.
  const { end } = first.end === 'fin' || first.end === 'refused' ? await openAndProbe(false, 1) : first;
  if (end !== 'reset') return end === 'fin' ? false : null;
  const whole = await openAndProbe(false, 0);
  return whole.end === 'silence' || whole.end === 'refused' ? null : whole.end === 'fin';
}
