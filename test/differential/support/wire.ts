/** Bytes to a server, and all that comes back until it closes. */
import { connect } from 'node:net';
import type { Step } from './case.ts';

export interface Heard {
  /** Each char is one byte. */
  readonly text: string;
  /** The server kept silent and the connection open. */
  readonly hung: boolean;
}

/** Milliseconds without a byte after which a server is said to hang. Only cases in which it does take so long. */
const PATIENCE = 4000;

/** Never rejects: a connection that is reset has said what it has said. */
export function converse(
  address: { readonly host: string; readonly port: number },
  steps: readonly Step[],
): Promise<Heard> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const text = (): string => Buffer.concat(chunks).toString('latin1');
    const socket = connect({ ...address, allowHalfOpen: true });
    const finish = (hung: boolean): void => {
      socket.destroy();
      resolve({ text: text(), hung });
    };
    let next = 0;
    const proceed = (): void => {
      for (let step = steps[next]; step !== undefined; step = steps[next]) {
        if (step === 'FIN') socket.end();
        else if (typeof step === 'string') socket.write(step, 'latin1');
        else if (Buffer.isBuffer(step)) socket.write(step);
        else if (!step.until.test(text())) return;
        next++;
      }
    };
    socket.on('connect', proceed);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (next < steps.length) proceed();
    });
    // a server that has closed may still reset what we go on sending
    socket.on('error', () => finish(false));
    socket.on('end', () => finish(false));
    socket.setTimeout(PATIENCE, () => finish(true));
  });
}
