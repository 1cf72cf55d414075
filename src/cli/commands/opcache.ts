/** `opcache`: shows or empties the opcache of a running php-fpm, as deploys need it. */
import type { OpcacheCommand } from '../args/opcache.ts';
import type { Connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { print } from '../output.ts';
import { runScript } from '../php/run-script.ts';
import { statusTable } from '../status-table.ts';

const SCRIPT = `
$result['loaded'] = extension_loaded('Zend OPcache');
$result['disabled'] = !function_exists('opcache_get_status') || !function_exists('opcache_reset');
$result['restricted'] = (string) ini_get('opcache.restrict_api');
$result['status'] = $result['disabled'] ? false : opcache_get_status(false);
`;

const RESET = `${SCRIPT}$result['reset'] = !$result['disabled'] && opcache_reset();
`;

export async function opcache(command: OpcacheCommand, io: Io, connect: Connect): Promise<number> {
  const { action, json } = command;
  const result = await runScript(command, action === 'reset' ? RESET : SCRIPT, io, connect);
  const status = statusIn(result);
  if (action === 'reset') {
    if (result['reset'] !== true && !isBeingEmptied(status)) throw new Error(whyNotEmptied(status));
    await print(io.stdout, json ? '{"reset":true}\n' : 'the opcache is emptied\n');
    return 0;
  }
  await print(io.stdout, json ? `${JSON.stringify(status, null, 2)}\n` : statusTable(figuresOf(status)));
  return 0;
}

/** Throws where there is none, saying why. */
function statusIn({
  loaded,
  disabled,
  restricted,
  status,
}: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (loaded !== true) throw new Error('php-fpm runs without opcache (zend_extension=opcache)');
  if (disabled === true)
    throw new Error(
      'its disable_functions have opcache_get_status or opcache_reset, without which nothing can be told',
    );
  if (typeof status === 'object' && status !== null) return status as Record<string, unknown>;
  if (typeof restricted === 'string' && restricted !== '')
    throw new Error(
      `opcache.restrict_api allows it to scripts below ${restricted} only (try: --dir ${restricted})`,
    );
  throw new Error('the opcache is off (opcache.enable)');
}

/**
 * PHP refuses a second reset while scripts still run that began before the first: the cache is off until they have ended, so
 * nothing of it is used any more.
 */
function isBeingEmptied(status: Figures): boolean {
  return status['restart_pending'] === true || status['restart_in_progress'] === true;
}

function whyNotEmptied(status: Figures): string {
  if (status['file_cache_only'] === true)
    return 'compiled scripts are in files (opcache.file_cache_only), and PHP has no way to empty them: delete what is in opcache.file_cache';
  const off = status['opcache_enabled'] === false ? ': it is off here (opcache.enable)' : '';
  return `php-fpm did not empty its opcache${off}`;
}

type Figures = Readonly<Record<string, unknown>>;

const UNITS = 1024 * 1024;

/** As people read it. */
export function figuresOf(status: Figures): Figures {
  const memory = objectIn(status, 'memory_usage');
  const strings = objectIn(status, 'interned_strings_usage');
  const figures = objectIn(status, 'opcache_statistics');
  const jit = objectIn(status, 'jit');
  const mib = (value: unknown): string =>
    typeof value === 'number' ? `${(value / UNITS).toFixed(1)} MiB` : '-';
  const rate = figures['opcache_hit_rate'];
  const started = figures['start_time'];
  return {
    enabled: status['opcache_enabled'],
    'cache full': status['cache_full'],
    'restart pending': status['restart_pending'],
    'start time': started,
    'memory used': mib(memory['used_memory']),
    'memory free': mib(memory['free_memory']),
    'memory wasted': mib(memory['wasted_memory']),
    'strings free': mib(strings['free_memory']),
    scripts: figures['num_cached_scripts'],
    keys: `${figures['num_cached_keys']} of ${figures['max_cached_keys']}`,
    hits: figures['hits'],
    misses: figures['misses'],
    'hit rate': typeof rate === 'number' ? `${rate.toFixed(1)} %` : '-',
    'restarts, out of memory': figures['oom_restarts'],
    'restarts, out of keys': figures['hash_restarts'],
    'restarts, by hand': figures['manual_restarts'],
    jit: jit['on'] ?? false,
  };
}

function objectIn(figures: Figures, name: string): Figures {
  const value = figures[name];
  return typeof value === 'object' && value !== null ? (value as Figures) : {};
}
