/** What is known of the server when a request is lost: the evidence rests on it. */
export interface ServerFacts {
  /**
   * It is PHP-FPM, of which is known what it reads before a script starts, and what it leaves unread: the operator has
   * said so, or it has shown it by its answer to FCGI_GET_VALUES. Null: nobody knows yet.
   */
  readonly isPhpFpm: boolean | null;
  /**
   * The kernel at the other end is the server's own, and no proxy's: so it was told, or a worker was seen to reset the
   * connection where it left bytes unread, and only there. Null: nobody knows yet.
   */
  readonly isDirect: boolean | null;
  /** That there is a proxy was told. */
  readonly isProxied?: boolean;
  /** It has left FCGI_GET_VALUES unanswered, and has never answered it: it is said to be PHP-FPM, and may not be. */
  readonly ignoresGetValues?: boolean;
  /** It is PHP-FPM, and has answered FCGI_GET_VALUES: it lets this host in. */
  readonly answersGetValues?: boolean;
}

export interface KnownServer extends ServerFacts {
  /** Tells it from the others that its address has had: see socket/endpoint.ts. */
  readonly endpoint: string;
  /**
   * A fresh connection was ended half-way without an answer, and went on taking what we wrote. PHP-FPM never does so;
   * a TCP proxy does when the server behind it is gone.
   */
  onHalfClosed(): void;
  /** It has answered under the id of another request, as PHP-FPM never does. */
  onIdsMixed(): void;
  /** A response is whole, and has or has not ended its streams by an empty record, as PHP-FPM does not. */
  onStreams(endsStreams: boolean): void;
}

/** Does PHP read bodies before scripts start? What has spoken against it so far. */
export interface KnownBodyReading {
  /** A request has told a worker when to read bodies, and nobody knows which. */
  readonly isChanged: boolean;
  /** `since`: ms, by the pool's clock. Was it doubted at that time, or has it been since? */
  isDoubted(since: number): boolean;
}
