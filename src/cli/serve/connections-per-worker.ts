/** How the connections to a PHP-FPM are divided among our worker processes: together they open no more than one would. */

/** At least one each. */
export function connectionsPerWorker(connections: number, workers: number): number {
  return Math.max(1, Math.ceil(connections / workers));
}
