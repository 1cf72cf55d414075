/** FastCGI bytes made by hand, so that the floors owe nothing to the code they are compared with. */

export function record(type: number, content: Uint8Array, id = 1): Buffer {
  const header = Buffer.from([1, type, id >> 8, id & 255, content.length >> 8, content.length & 255, 0, 0]);
  return Buffer.concat([header, content]);
}

const nothing = new Uint8Array(0);

/** STDOUT, its end, END_REQUEST. */
export function cannedAnswer(stdout: string, id = 1): Buffer {
  return Buffer.concat([
    record(6, Buffer.from(stdout), id),
    record(6, nothing, id),
    record(3, new Uint8Array(8), id),
  ]);
}

/** What php-fpm answers to FCGI_GET_VALUES. */
export const values: Buffer = record(10, Buffer.from('\x0f\x01FCGI_MPXS_CONNS0'), 0);

/** The id of the request in these bytes, behind the end of the one before, if it is there; 0: it is no request. */
export function idOf(chunk: Buffer): number {
  return chunk.readUInt16BE(chunk[1] === 5 ? 10 : 2);
}

/** A whole request without a body, keeping the connection. */
export function cannedRequest(params: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(params).flatMap(([name, value]) => {
    const [n, v] = [Buffer.from(name), Buffer.from(value)];
    return [length(n.length), length(v.length), n, v];
  });
  const begin = Uint8Array.of(0, 1, 1, 0, 0, 0, 0, 0);
  return Buffer.concat([
    record(1, begin),
    record(4, Buffer.concat(pairs)),
    record(4, nothing),
    record(5, nothing),
  ]);
}

function length(value: number): Buffer {
  if (value < 128) return Buffer.of(value);
  const long = Buffer.alloc(4);
  long.writeUInt32BE((value | 0x8000_0000) >>> 0);
  return long;
}

/** 24 params, as nginx's fastcgi_params and a browser's headers make them. */
export function typicalParams(root: string, scriptName = '/hello.php'): Record<string, string> {
  return {
    SCRIPT_FILENAME: root + scriptName,
    QUERY_STRING: 'page=3&sort=date',
    REQUEST_METHOD: 'GET',
    CONTENT_TYPE: '',
    CONTENT_LENGTH: '',
    SCRIPT_NAME: scriptName,
    REQUEST_URI: `${scriptName}?page=3&sort=date`,
    DOCUMENT_URI: scriptName,
    DOCUMENT_ROOT: root,
    SERVER_PROTOCOL: 'HTTP/1.1',
    REQUEST_SCHEME: 'http',
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE: 'bench',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_PORT: '54321',
    SERVER_ADDR: '127.0.0.1',
    SERVER_PORT: '8080',
    SERVER_NAME: 'localhost',
    REDIRECT_STATUS: '200',
    HTTP_HOST: 'localhost:8080',
    HTTP_USER_AGENT: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    HTTP_ACCEPT: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    HTTP_ACCEPT_ENCODING: 'gzip, deflate, br, zstd',
    HTTP_COOKIE: 'session=0123456789abcdef0123456789abcdef',
  };
}
