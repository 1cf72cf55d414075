/** Sends a file of the site by node's response object. */
import { ServerResponse } from 'node:http';
import type { FileRefusal } from '../../reply/handed-file.ts';
import { fileHead } from '../../reply/head.ts';
import {
  freeRequest,
  isHttp2,
  type NodeRequest,
  type NodeResponse,
  requestHeader,
} from '../../reply/node/node-response.ts';
import { pipeFile } from '../../reply/node/pipe-file.ts';
import type { Sink } from '../../reply/sink.ts';
import { type FileAnswer, fileAnswer, headersOf, isConditional } from './file-answer.ts';
import { FilePart } from './file-part.ts';
import { openFound, type SiteFile } from './site-files.ts';

/** Is told why a file could not be sent to its end, and what its client had been answered. */
type Broken = (error: Error, statusCode: number) => void;

/**
 * `sendTimeout`: ms that the client may take nothing, 0: it may.
 *
 * @throws an error of the file system, before anything is sent. Null: it is on its way.
 */
export function sendToNode(
  file: SiteFile,
  request: NodeRequest,
  response: NodeResponse,
  sendTimeout: number,
  broken: Broken,
): FileRefusal | null {
  const answer = answerOf(file, request);
  if (!('range' in answer)) return answer;
  send(file, answer, request.method === 'HEAD', response, sendTimeout, broken);
  freeRequest(request);
  return null;
}

/** As `sendToNode`, the way a framework sends. */
export function sendBySink(
  file: SiteFile,
  request: NodeRequest,
  sink: Sink,
  sendTimeout: number,
  broken: Broken,
): FileRefusal | null {
  const answer = answerOf(file, request);
  if (!('range' in answer)) return answer;
  const { statusCode, fields } = answer;
  const range = request.method === 'HEAD' ? null : answer.range;
  const body =
    range && (file.content?.subarray(range[0], range[1] + 1) ?? partOf(file, range, statusCode, broken));
  sink.file({ head: fileHead(statusCode, fields, body !== null), body }, sendTimeout);
  freeRequest(request);
  return null;
}

function answerOf(file: SiteFile, request: NodeRequest): FileAnswer | FileRefusal {
  if (!isConditional(request.headers)) {
    return { statusCode: 200, fields: file.fields, range: file.size === 0 ? null : [0, file.size - 1] };
  }
  const answer = fileAnswer(file, (name) => requestHeader(request, name));
  if (answer.statusCode !== 412 && answer.statusCode !== 416) return answer;
  return { statusCode: answer.statusCode, headers: headersOf(answer.fields) };
}

function partOf(
  file: SiteFile,
  [first, last]: readonly [number, number],
  statusCode: number,
  broken: Broken,
): FilePart {
  const part = new FilePart(openFound(file), file.real, first, last);
  return part.whenBroken((error) => broken(error, statusCode));
}

function send(
  file: SiteFile,
  { statusCode, fields, range }: FileAnswer,
  isHead: boolean,
  response: NodeResponse,
  sendTimeout: number,
  broken: Broken,
): void {
  const { content } = file;
  if (isHead || range === null) {
    writeHead(response, statusCode, fields);
    response.end();
    return;
  }
  if (content === null) {
    const part = partOf(file, range, statusCode, broken);
    writeHead(response, statusCode, fields);
    pipeFile(part, response, sendTimeout);
    return;
  }
  writeHead(response, statusCode, fields);
  const [first, last] = range;
  response.end(last - first + 1 === content.length ? content : content.subarray(first, last + 1));
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
