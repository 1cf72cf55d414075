/**
 * php-cgi in the place of php-fpm: one parent on our socket, which forks a child for each connection and another one where a
 * child has served its number of requests (PHP_FCGI_MAX_REQUESTS, 500). A child that ends closes its connection: so none is kept
 * (see serve/app.ts), and whoever waits in the backlog is served by the next child.
 */
import type { FpmSetup } from './config.ts';
import { iniArgument } from './ini.ts';

export function cgiArguments({ ini }: FpmSetup, socket: string): string[] {
  return ['-b', socket, ...ini.flatMap((setting) => ['-d', iniArgument(setting)])];
}

export function cgiEnvironment({ children }: FpmSetup, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PHP_FCGI_CHILDREN: String(children) };
}
