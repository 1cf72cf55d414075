/** Private real servers for tests, benches and storms; each is stopped with all it started. */
export { type ApacheOptions, apacheBackend, loadModules, startApache } from './apache.ts';
export { need } from './child.ts';
export { type Execution, type ExecutionLog, executionLog } from './executions.ts';
export {
  type Fpm,
  type FpmOptions,
  gone,
  isAlive,
  type ScriptParams,
  scriptParams,
  startFpm,
} from './fpm.ts';
export { type FullDisk, fullDisk } from './full-disk.ts';
export { type HaproxyOptions, startHaproxy } from './haproxy.ts';
export { accepts, type Backend, type Endpoint, type RunningServer } from './http-server.ts';
export { type Lag, startLag } from './lag.ts';
export { type NginxOptions, nginxParams, startNginx, tempPaths } from './nginx.ts';
export { startRelay } from './relay.ts';
export { startSocat } from './socat.ts';
export { establishedTo, inBacklog } from './sockets.ts';
export { freePort, type TempDir, tempDir } from './temp.ts';
export { type WaitOptions, waitFor, within } from './wait.ts';
