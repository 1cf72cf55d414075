/** The likely cause of a failure, in words an operator of PHP-FPM can act on. */
import type { FcgiError } from '../../errors.ts';
import type { Lost } from './lost.ts';

/** ms. `request_terminate_timeout` is in whole seconds; what dies sooner has died of something else. */
const SHORTEST_TERMINATION = 900;

/** '' where nothing useful can be said. `elapsed`: ms since the request was sent. */
export function hint(error: FcgiError, cause: Lost, transport: 'unix' | 'tcp', elapsed: number): string {
  if (error.code === 'FCGI_ERR_HEADERS_TIMEOUT' && !error.reused) {
    return 'the script is slow, or all workers are busy: see `pm.max_children`, and the listen queue on the status page';
  }
  if (!error.code.startsWith('FCGI_ERR_SOCKET')) return '';
  const turnedAway = transport === 'tcp' && !error.reused && error.bytesReceived === 0;
  const allowed =
    'php-fpm closed a fresh connection without a word: is this host in `listen.allowed_clients`?';
  if (error.executed === 'no') {
    if (cause.afterFin === 'accepted')
      return 'the worker was recycled (`pm.max_requests`) before it read the request';
    if (turnedAway) return `${allowed} Else it was reloaded or stopped`;
    return 'the worker left before it read the request: php-fpm was reloaded or stopped';
  }
  const died =
    error.bytesReceived > 0
      ? 'the worker died while it answered'
      : 'the worker died while running the script';
  if (elapsed >= SHORTEST_TERMINATION) {
    const seconds = (elapsed / 1000).toFixed(1);
    return `${died}, after ${seconds} s: \`request_terminate_timeout\`, a crash, or a restart of php-fpm; see its log`;
  }
  if (turnedAway) return `${allowed} Else ${died}; see its log`;
  return `${died}: a crash, or it was killed; see the log of php-fpm`;
}

/** Of what PHP-FPM writes to STDERR where there is no script at SCRIPT_FILENAME (it answers 404, "File not found."). */
export function scriptHint(stderr: string, script: string): string {
  if (!/Primary script unknown|Unable to open primary script/.test(stderr)) return '';
  return `php-fpm found no script at ${script}: is this its path where php-fpm runs, and may its user read it?`;
}
