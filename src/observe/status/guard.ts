/** Who may see the status page: whoever sits at this machine, and nobody through it. */

export interface PageRequest {
  /** Of the socket; undefined: a unix socket, whose other end may be a proxy for all the world. */
  readonly remoteAddress: string | undefined;
  /** The Host header, or HTTP/2's :authority. */
  readonly host: string | undefined;
  readonly httpVersion: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** How many came. */
  readonly headerCount: number;
  /** How many node keeps: it drops in silence what comes behind them, such as what a proxy has added. */
  readonly maxHeadersCount: number;
}

/** Set by proxies: with one of them the socket's address is the proxy's, and says nothing of who asks. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** No browser sends as many. */
const MOST_HEADERS = 100;

/** Why it is refused; null: it is not. `hosts`: more names that are this machine's. */
export function refusalOf(request: PageRequest, hosts: readonly string[]): string | null {
  if (!isLoopback(request.remoteAddress)) return 'the status page is for this machine only';
  const header = PROXY_HEADERS.find((name) => request.headers[name] !== undefined);
  if (header !== undefined) return `the status page is not shown through a proxy (${header})`;
  if (request.headerCount >= Math.min(MOST_HEADERS, request.maxHeadersCount))
    return 'the status page is not shown to who sends so many headers that those of a proxy may be lost';
  const version = request.httpVersion;
  // nginx's proxy_pass spoke it before 1.29.7, and tells nothing else of itself.
  if (version === '1.0') return 'the status page is not shown over HTTP/1.0, which proxies speak';
  // Since then it speaks HTTP/1.1, and names the address that it asks as the host. But no proxy hands on this header as it came
  // (RFC 9110, 7.6.1): nginx and HAProxy leave it out or say close, Apache writes it otherwise. Browsers send it.
  if (version === '1.1' && request.headers['connection'] !== 'keep-alive')
    return 'the status page is shown to who says "Connection: keep-alive", as browsers do and proxies do not';
  // A page of somebody else's, whose name leads to this machine (DNS rebinding), would read it in the browser of who sits here.
  if (!isOwnName(request.host, hosts))
    return 'the status page is for localhost: the Host header says otherwise';
  return null;
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/i.test(address);
}

function isOwnName(host: string | undefined, hosts: readonly string[]): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return /^127(?:\.\d{1,3}){3}$/.test(name) || hosts.includes(name);
}
