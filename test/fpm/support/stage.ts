/** The scene of the tests that show PHP-FPM's own behaviour. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExecutionLog, executionLog } from './executions.ts';
import { type Fpm, type FpmOptions, startFpm } from './fpm.ts';
import { Wire } from './wire.ts';

/** A PHP-FPM with a few scripts that log what they do, and bare sockets to it. */
export interface Stage extends AsyncDisposable {
  readonly fpm: Fpm;
  readonly log: ExecutionLog;
  connect(): Promise<Wire>;
  /** The params of one run of a script, named `id` in the log. */
  run(script: string, id: string, more?: Record<string, string>): { params: Record<string, string> };
  /** Lets the scripts go on that wait in $wait(). */
  release(): void;
}

const scripts = {
  'echo.php': 'echo file_get_contents("php://input");',
  'wait.php': '$wait(); echo "waited";',
  'finish.php': 'echo "early"; fastcgi_finish_request(); $wait(); $log("tail");',
  'loud.php':
    'echo str_repeat("a", 20000); flush(); error_log("oops"); echo str_repeat("b", 20000); exit(3);',
  'small.php':
    'header("X-Long: " . str_repeat("h", 9000)); for ($i = 0; $i < 2000; $i++) { echo "0123456789"; }',
  'early.php': 'echo str_repeat("a", 20000); $log("ran");',
  'late.php':
    'echo "early"; fastcgi_finish_request(); for ($i = 0; $i < 10; $i++) error_log(str_repeat("e", 900));',
  'limit.php': 'echo ini_get("memory_limit");',
  'length.php': 'ignore_user_abort(true); $log("length " . strlen(file_get_contents("php://input")));',
};

export async function stage(options: FpmOptions): Promise<Stage> {
  const fpm = await startFpm({ maxChildren: 1, ...options });
  const log = executionLog(fpm.root);
  const gate = join(fpm.root, 'gate');
  const prelude = `${log.php}
    $log = fn($id) => file_put_contents('${join(fpm.root, 'executions.log')}', $id . " " . getmypid() . "\\n", FILE_APPEND);
    $wait = function () { while (!file_exists('${gate}')) { usleep(1000); clearstatcache(); } };`;
  const params = new Map(
    Object.entries(scripts).map(([name, source]) => [name, fpm.script(name, `${prelude} ${source}`)]),
  );
  const sockets: Wire[] = [];
  return {
    fpm,
    log,
    async connect() {
      const socket = await Wire.connect(fpm.endpoint);
      sockets.push(socket);
      return socket;
    },
    run: (script, id, more = {}) => ({ params: { ...params.get(script), REQUEST_ID: id, ...more } }),
    release: () => writeFileSync(gate, ''),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      await fpm.stop();
    },
  };
}

/** What ran, in its order. */
export function ids({ log }: Stage): string[] {
  return log.entries().map(({ id }) => id);
}

/** The state of every worker, as the status page words it; the page itself is one request that is running. */
export async function states(on: Stage): Promise<string[]> {
  const socket = await on.connect();
  const params = {
    SCRIPT_NAME: '/status',
    SCRIPT_FILENAME: '/status',
    REQUEST_METHOD: 'GET',
    QUERY_STRING: 'json&full',
  };
  const { body } = await socket.ask({ params, keep: false });
  // Otherwise its worker would wait for us to close, see 3.
  socket.close();
  const { processes }: { processes: { state: string }[] } = JSON.parse(body);
  return processes.map(({ state }) => state).sort();
}
