/** The likely cause of a failure, in words an operator of PHP-FPM can act on. */
import type { FcgiError } from '../errors.ts';
import type { Lost } from './lost.ts';

/** '' where nothing useful can be said. */
export function hint(error: FcgiError, cause: Lost, transport: 'unix' | 'tcp'): string {
  if (error.bytesReceived > 0 && error.code.startsWith('FCGI_ERR_SOCKET')) {
    return 'the worker died while it answered: a crash, memory, `request_terminate_timeout`, or a restart of php-fpm; see its log';
  }
  if (cause.sign === 'fin' && cause.afterFin === 'accepted') {
    return 'the worker was recycled (pm.max_requests) before it read the request';
  }
  if (error.executed === 'no')
    return 'the worker left before it read the request: php-fpm was reloaded, stopped, or recycled it';
  if (!error.reused && transport === 'tcp' && error.code.startsWith('FCGI_ERR_SOCKET')) {
    return 'a fresh connection closed without a word: is this host in `listen.allowed_clients`? Else the worker died while running the script';
  }
  if (error.code.startsWith('FCGI_ERR_SOCKET')) {
    return 'the worker died while running the script: a crash, `request_terminate_timeout`, or it was killed; see the log of php-fpm';
  }
  if (error.code === 'FCGI_ERR_HEADERS_TIMEOUT' && !error.reused) {
    return 'either the script is slow or all workers are busy: see `pm.max_children`, and the status page for the listen queue';
  }
  return '';
}
