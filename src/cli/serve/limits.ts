/** Milliseconds that PHP gets when all responses are out: scripts may go on after fastcgi_finish_request(). */
export const PHP_LIMIT = 5000;
