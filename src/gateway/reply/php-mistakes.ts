/** What a script has said that cannot be answered so. It has run. */
import { Buffer } from 'node:buffer';
import { ProtocolError } from '../../errors.ts';
import type { Ended } from '../../pool/dispatcher.ts';

const ofLength =
  'the script, or a library of it, says Content-Length by itself, and something counts or changes the body behind it: characters in place of bytes, `zlib.output_compression`, a warning on the page; without the header the body may have any length';

/** `phase`: where in the response it is. */
export function phpMistake(message: string, phase: 'head' | 'body', hint: string): ProtocolError {
  return new ProtocolError('FCGI_ERR_HEAD_INVALID', message, { facts: { executed: 'yes', phase, hint } });
}

/** Of a body. */
export function tooShort(bytes: number, contentLength: number, ended: Ended): ProtocolError {
  const { server, times, reused, attempts, stderr } = ended;
  const message = `The body has ${bytes} bytes, PHP's Content-Length says ${contentLength}`;
  return wrongLength(message).learn({ server, times, reused, attempts, stderr });
}

export function tooLong(contentLength: number): ProtocolError {
  return wrongLength(`PHP sent more than its Content-Length of ${contentLength} bytes: the rest is dropped`);
}

function wrongLength(message: string): ProtocolError {
  const facts = { executed: 'yes', phase: 'body', hint: ofLength } as const;
  return new ProtocolError('FCGI_ERR_CONTENT_LENGTH', message, { facts });
}

export function interimStatus(statusCode: number): ProtocolError {
  const message = `PHP answered with the interim status ${statusCode}`;
  const hint =
    'a CGI response has one head, with a status of 200 or above: no 100 Continue or 103 Early Hints';
  return phpMistake(message, 'head', hint);
}

/** `name`: each char is one byte. */
export function misnamedHeader(name: string): ProtocolError {
  const shown = JSON.stringify(Buffer.from(name, 'latin1').toString());
  const message = `PHP sent a header with the name ${shown}, which HTTP does not have: it is dropped`;
  const hint =
    'a name has letters, digits and -, no blanks, brackets or other alphabets: see the `header()` calls of the script';
  return phpMistake(message, 'head', hint);
}
