/** Whom the sites tell; in a worker process it is the first one, who writes it all. */
export interface Told {
  /** A complaint of ours, in one line, without our name in front. */
  readonly say: (line: string) => void;
  /** STDERR of a request; `isLogged`: php-fpm is ours, and tells the same once more in its log. */
  readonly php: (request: string, text: string, isLogged: boolean) => void;
}
