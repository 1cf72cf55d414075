/**
 * This folder: FastCGI records, encoded and decoded. Pure, no socket, no timer; it imports only the errors. Read
 * record.ts first.
 */
/** FastCGI 1.0 as values: records, name-value pairs, an encoder and two decoders. No sockets, no timers. */
export * from './constants.ts';
export { decodeParams } from './decode-params.ts';
export { RecordDecoder, type RecordSink } from './decoder.ts';
export {
  type EncodedParams,
  encodeGetValues,
  encodeStdin,
  encodeStdinTerminator,
  REQUEST_ID,
  RequestEncoder,
  type RequestEncoding,
  type RequestFrame,
  requestIdOf,
} from './encoder.ts';
export { encodePairInto, type Params, pairBound } from './params.ts';
export {
  type BeginRequest,
  decodeBeginRequest,
  decodeEndRequest,
  decodeHeader,
  decodeUnknownType,
  type EndRequest,
  encodeBeginRequest,
  encodeBeginRequestInto,
  encodeEndRequest,
  encodeEndRequestInto,
  encodeHeaderInto,
  encodeRecord,
  encodeUnknownTypeInto,
  FIXED_BODY_LENGTH,
  type RecordHeader,
} from './record.ts';
export { ResponseDecoder, type ResponseSink, refusal } from './response.ts';
