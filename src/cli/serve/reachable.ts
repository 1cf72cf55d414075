/** Whether somebody listens at the addresses that were given: said at the start, not with the first request. */
import { connect } from 'node:net';
import { parseAddress } from '../../connection/socket/address.ts';
import { connectHint } from '../../connection/socket/connect.ts';
import type { Server } from '../args/upstream.ts';
import type { Io } from '../io.ts';

/** Milliseconds. */
const LIMIT = 2000;

/** Resolves with whether all can be reached; one that is down is not asked. */
export async function warnOfUnreachable(servers: readonly Server[], io: Io): Promise<boolean> {
  const addresses = servers.filter(({ down }) => !down).map(({ address }) => address);
  const problems = await Promise.all(addresses.map(problemWith));
  addresses.forEach((address, index) => {
    const problem = problems[index];
    if (problem) io.stderr.write(`fastcgi-pool: --upstream ${address} cannot be reached now: ${problem}\n`);
  });
  return problems.every((problem) => problem === null);
}

function problemWith(address: string): Promise<string | null> {
  return new Promise((resolve) => {
    const target = parseAddress(address);
    const socket = connect(target);
    const end = (problem: string | null): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(LIMIT, () => end(`no answer within ${LIMIT / 1000} s`));
    socket.once('connect', () => end(null));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const hint = connectHint(error.code ?? '', target);
      end(hint === '' ? error.message : `${error.message} (${hint})`);
    });
  });
}
