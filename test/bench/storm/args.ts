/** The command line, read as a value before anything is started. */
import { parseArgs } from 'node:util';

export interface StormOptions {
  /** For the recycling rows together; null: they run by time. */
  readonly requests: number | null;
  /** For each row, where it is not counted. */
  readonly seconds: number;
  /** Part of the names of the rows to run. */
  readonly only: string;
  readonly rivals: boolean;
  readonly quick: boolean;
}

export const usage = `npm run storm -- [--requests N] [--seconds S] [--only NAME] [--rivals] [--quick]

  --requests N   N requests in the recycling rows together (default: they run for S seconds each)
  --seconds S    how long each other row runs; default 4, with --quick 1.5
  --only NAME    the rows whose name holds NAME: "recycle 5", "upload", "kill tcp", ...
  --rivals       nginx, Apache and HAProxy, too, each with a php-fpm of its own
  --quick        fewer rows, for a first look
`;

/** Throws an Error that names what is wrong. */
export function readArgs(args: readonly string[]): StormOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', default: '' },
      rivals: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
    },
  });
  const { requests, seconds, only, rivals, quick } = values;
  return {
    requests: requests === undefined ? null : above0('requests', requests, Number.isSafeInteger),
    seconds: seconds === undefined ? (quick ? 1.5 : 4) : above0('seconds', seconds, Number.isFinite),
    only,
    rivals,
    quick,
  };
}

function above0(name: string, text: string, fits: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() !== '' && fits(value) && value > 0) return value;
  throw new Error(`--${name} must be a number above 0, not ${JSON.stringify(text)}`);
}
