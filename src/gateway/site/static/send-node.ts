/** Sends a file of the site by node's response object. */
import { createReadStream } from 'node:fs';
import { ServerResponse } from 'node:http';
import { isGone, isHttp2, type NodeRequest, type NodeResponse } from '../../reply/node-sink.ts';
import { discard } from '../../request/upload.ts';
import { type FileAnswer, fileAnswer, isConditional } from './file-answer.ts';
import { openFound, type SiteFile } from './site-files.ts';

/** Bytes: up to this a text joined to the head costs less than two pieces. */
const joinable = 16_384;

/** What is to be answered in place of the file; null: it is on its way. */
export type Refusal = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
} | null;

/**
 * `begin` is called when it is certain that the file will be sent.
 *
 * @throws an error of the file system, before anything is sent.
 */
export function sendToNode(
  file: SiteFile,
  request: NodeRequest,
  response: NodeResponse,
  begin: () => void = () => {},
): Refusal {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  const isHead = request.method === 'HEAD';
  if (!isConditional(header)) {
    const range = file.size === 0 ? null : ([0, file.size - 1] as const);
    send(file, { statusCode: 200, fields: file.fields, range }, isHead, response, begin);
  } else {
    const answer = fileAnswer(file, header);
    if (answer.statusCode === 412 || answer.statusCode === 416) {
      return { statusCode: answer.statusCode, headers: headersOf(answer.fields) };
    }
    send(file, answer, isHead, response, begin);
  }
  if (!request.complete) discard(request);
  return null;
}

function send(
  file: SiteFile,
  { statusCode, fields, range }: FileAnswer,
  isHead: boolean,
  response: NodeResponse,
  begin: () => void,
): void {
  const { content } = file;
  if (isHead || range === null) {
    begin();
    writeHead(response, statusCode, fields);
    response.end();
    return;
  }
  const [first, last] = range;
  if (content === null) {
    const descriptor = openFound(file);
    begin();
    writeHead(response, statusCode, fields);
    stream(descriptor, first, last, response);
    return;
  }
  begin();
  writeHead(response, statusCode, fields);
  const isWhole = last - first + 1 === content.length;
  const piece = isWhole ? content : content.subarray(first, last + 1);
  if (piece.length > joinable || isHttp2(response)) {
    response.end(piece);
    return;
  }
  // As one string in one write: end(piece) would send a vector of it and of an empty piece.
  response.write(isWhole ? file.text() : piece.toString('latin1'), 'latin1');
  response.socket?.uncork();
  response.end();
}

function writeHead(response: NodeResponse, statusCode: number, fields: readonly string[]): void {
  // what a middleware has put in the place of writeHead() may not know this form of it
  const isPlain = response.writeHead === ServerResponse.prototype.writeHead;
  if (isPlain && !isHttp2(response) && response.getHeaderNames().length === 0) {
    response.writeHead(statusCode, fields as string[]);
    return;
  }
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    const before = name === 'Vary' ? response.getHeader(name) : undefined;
    response.setHeader(name, before === undefined ? value : `${[before].flat().join(', ')}, ${value}`);
  }
  response.writeHead(statusCode);
}

function stream(descriptor: number, first: number, last: number, response: NodeResponse): void {
  const file = createReadStream('', { fd: descriptor, start: first, end: last });
  // the client was promised a length: one that gets less must not take it for the whole
  const cut = (): void => {
    file.destroy();
    if (isHttp2(response)) response.stream.close(2);
    else response.destroy();
  };
  file.on('error', cut);
  file.on('end', () => {
    if (file.bytesRead === last - first + 1) response.end();
    else cut();
  });
  response.on('close', () => file.destroy());
  if (isGone(response)) file.destroy();
  else file.pipe(response, { end: false });
}

function headersOf(fields: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) headers[fields[i] ?? ''] = fields[i + 1] ?? '';
  return headers;
}
