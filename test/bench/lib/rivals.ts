/** The gateways that others have, in front of the same php-fpm, with their connections kept and not kept. */
import { type Fpm, type RunningServer, startHaproxy, startNginx } from '../../fpm/support/index.ts';

export type StartRival = (fpm: Fpm) => Promise<RunningServer>;

/** `connections`: HAProxy's at most, and those that each keeps. nginx opens as many as are asked for. */
export function rivals(connections: number): Record<string, StartRival> {
  const nginx = (keepalive: number): StartRival => {
    return (fpm) => startNginx({ fpm, keepalive });
  };
  const haproxy = (keepalive: number): StartRival => {
    return (fpm) => startHaproxy({ mode: 'fcgi', fpm, keepalive, maxConnections: connections });
  };
  return {
    nginx: nginx(0),
    'nginx, keepalive': nginx(connections),
    HAProxy: haproxy(0),
    'HAProxy, keepalive': haproxy(connections),
  };
}
