// FastCGI bytes made by hand, so that the floors owe nothing to the code they are compared with.
const header = (type, length) => Buffer.from([1, type, 0, 1, length >> 8, length & 255, 0, 0]);

export function cannedAnswer(stdout) {
  const content = Buffer.from(stdout);
  return Buffer.concat([header(6, content.length), content, header(6, 0), header(3, 8), Buffer.alloc(8)]);
}

export function cannedRequest(params) {
  const pairs = Object.entries(params).flatMap(([name, value]) => {
    const [n, v] = [Buffer.from(name), Buffer.from(value)];
    return [length(n.length), length(v.length), n, v];
  });
  const content = Buffer.concat(pairs);
  const begin = Buffer.from([0, 1, 1, 0, 0, 0, 0, 0]);
  return Buffer.concat([
    header(1, 8),
    begin,
    header(4, content.length),
    content,
    header(4, 0),
    header(5, 0),
  ]);
}

function length(value) {
  if (value < 128) return Buffer.from([value]);
  const long = Buffer.alloc(4);
  long.writeUInt32BE(value);
  long[0] |= 0x80;
  return long;
}

/** 24 params, as nginx's fastcgi_params and a browser's headers make them. */
export function typicalParams(scriptFilename, scriptName = '/hello.php') {
  return {
    SCRIPT_FILENAME: scriptFilename,
    QUERY_STRING: 'page=3&sort=date',
    REQUEST_METHOD: 'GET',
    CONTENT_TYPE: '',
    CONTENT_LENGTH: '',
    SCRIPT_NAME: scriptName,
    REQUEST_URI: `${scriptName}?page=3&sort=date`,
    DOCUMENT_URI: scriptName,
    DOCUMENT_ROOT: '/srv/app/public',
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
