/** The numbers of the FastCGI 1.0 specification, section 8, under its own names. */

export const VERSION = 1;

/** Bytes of a record header. */
export const HEADER_LENGTH = 8;

/** Bytes that contentLength can say. */
export const MAX_CONTENT_LENGTH = 65_535;

/**
 * The most bytes we put into one record. PHP-FPM resets a connection on PARAMS whose content and padding are more
 * than 65,535 together; this is the largest multiple of 8 below, so that no record ever needs padding.
 */
export const MAX_RECORD_CONTENT = 65_528;

/** Management records carry this request id. */
export const NULL_REQUEST_ID = 0;

/** The highest request id: it has 16 bits. */
export const MAX_REQUEST_ID = 65_535;

export const RecordType = {
  BEGIN_REQUEST: 1,
  ABORT_REQUEST: 2,
  END_REQUEST: 3,
  PARAMS: 4,
  STDIN: 5,
  STDOUT: 6,
  STDERR: 7,
  DATA: 8,
  GET_VALUES: 9,
  GET_VALUES_RESULT: 10,
  UNKNOWN_TYPE: 11,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

export const Role = { RESPONDER: 1, AUTHORIZER: 2, FILTER: 3 } as const;
export type Role = (typeof Role)[keyof typeof Role];

export const Flag = { KEEP_CONN: 1 } as const;

export const ProtocolStatus = {
  REQUEST_COMPLETE: 0,
  CANT_MPX_CONN: 1,
  OVERLOADED: 2,
  UNKNOWN_ROLE: 3,
} as const;
export type ProtocolStatus = (typeof ProtocolStatus)[keyof typeof ProtocolStatus];

/** The names a GET_VALUES record may ask for. */
export const ValueName = {
  MAX_CONNS: 'FCGI_MAX_CONNS',
  MAX_REQS: 'FCGI_MAX_REQS',
  MPXS_CONNS: 'FCGI_MPXS_CONNS',
} as const;
