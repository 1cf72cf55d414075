/** Where the sites log. In a worker process it sends all to the first process: two writers would mix their lines. */
export interface Logger {
  /** Logs one line about an error of the gateway, without `fastcgi-pool:` in front. */
  readonly say: (line: string) => void;
  /** STDERR of a request; `isLogged`: php-fpm was started by `serve`, so the same lines come once more in its log. */
  readonly php: (request: string, text: string, isLogged: boolean) => void;
}
