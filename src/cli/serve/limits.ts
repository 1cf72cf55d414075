/** Milliseconds that PHP gets when all responses are out: scripts may go on after fastcgi_finish_request(). */
export const PHP_LIMIT = 5000;

export function cutAfter(limit: number): string {
  return `requests were cut after ${limit / 1000} s (--drain-timeout)`;
}
