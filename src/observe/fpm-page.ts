/** PHP-FPM's own status page as JSON. */
export type FpmPage = Readonly<Record<string, unknown>>;

/**
 * The figures of a page that lists the processes (`full`). PHP-FPM counts each request on a kept connection as one more active worker, until it
 * counts anew, about once a second: 30 requests made 38 of 4 workers. So those that are listed are counted.
 */
export function recounted({ processes, ...figures }: FpmPage): FpmPage {
  if (!Array.isArray(processes)) return figures;
  const total = processes.length;
  const idle = processes.filter((one: FpmPage | null) => one?.['state'] === 'Idle').length;
  return {
    ...figures,
    'idle processes': idle,
    'active processes': total - idle,
    'total processes': total,
  };
}
