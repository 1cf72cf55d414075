/** Every case in which we answer neither as nginx nor as Apache: with which statuses, and why that is right. */
import type { Reason } from '../support/case.ts';

const rawBytes =
  'A URI has no bytes beyond ASCII (RFC 3986, 2): browsers escape them, and the parser of Node takes no others.';
const control =
  'An escaped control byte stands in no name of a file or page; a line feed has undone patterns in front of PHP (CVE-2019-11043).';
const link =
  'A link leads out of the root. Both follow it, as both files have one owner; we ask that the folder is allowed by name.';
const fragment =
  'A fragment is no part of a request (RFC 9112, 3.2). nginx serves the page, as we do, but with the fragment in REQUEST_URI.';
const absolute =
  'The host of a whole URL counts, and Host is ignored (RFC 9112, 3.2.2); REQUEST_URI is a path, as applications expect.';
const interim =
  'A script cannot answer with an interim status: the client would wait for a final one that never comes.';
const bytesInValue =
  'No control byte leaves in a header (RFC 9110, 5.5): nginx lets them out, Apache gives up the page; a blank is harmless.';
const badName =
  'A name that is no token: nginx lets it out, Apache answers 500. We drop it and tell, as Node sends none: one wrong header costs no page.';
const headTooLarge = 'Node knows one limit for the whole head: 431 says so (RFC 6585, 5).';
const method = 'The parser of Node knows the registered methods only.';
const laxFraming =
  'Where two parsers may disagree on where a body ends, a request can be smuggled: what RFC 9112, 7.1 does not allow is 400.';
const shortPage =
  'The page is here, and shorter than PHP has promised. nginx sends part of it and breaks off, Apache hides that it is cut.';

/** By theme. */
export const reasons: Readonly<Record<string, readonly Reason[]>> = {
  methods: [
    { why: method, status: [400], of: ['FOO of a script', 'X-CUSTOM of a script'] },
    {
      why: 'We are no proxy. Apache runs /index.php for it; nginx, too, refuses, with 405 for a path and 400 for a host.',
      status: [405],
      of: ['CONNECT to a host'],
    },
  ],
  paths: [
    { why: control, status: [400], of: ['/probe.php%0a'] },
    { why: rawBytes, status: [400], of: ['/caf<c3><a9>.php'] },
    { why: link, status: [404], of: ['/out.php', '/outside/secret.txt'] },
    { why: fragment, status: [200], of: ['/probe.php#fragment'] },
    {
      why: 'Both show the source, as to them only .php is PHP. It is never shown, and never run by such a name.',
      status: [404],
      of: ['/Upper.PHP'],
    },
  ],
  'request lines': [
    {
      why: absolute,
      status: [200],
      of: [
        'a whole URL of another host than Host says',
        'a whole URL with a port',
        'a whole URL in capitals',
        'a whole URL without a path, with a query',
      ],
    },
    { why: 'HTTP/0.9 is dead: both still speak it.', status: [400], of: ['no version at all'] },
    { why: 'There is no HTTP/1.2, and nobody sends it.', status: [400], of: ['HTTP/1.2'] },
    {
      why: 'Node knows one limit for the whole head, 64 KiB here as over HTTP/2; both have one for the line as well.',
      status: [200],
      of: ['a target of 40,000 bytes'],
    },
  ],
  PATH_INFO: [
    { why: control, status: [400], of: ['a line feed'] },
    { why: rawBytes, status: [400], of: ['a raw byte'] },
    {
      why: 'The script exists and runs, as with Apache, which gives PATH_TRANSLATED wrongly; nginx stops at the first .php.',
      status: [200],
      of: ['a folder with the name of a script beside a front controller'],
    },
  ],
  queries: [
    { why: rawBytes, status: [400], of: ['raw UTF-8'] },
    { why: fragment, status: [200], of: ['a fragment'] },
  ],
  headers: [
    { why: headTooLarge, status: [431], of: ['a value of 70,000 bytes'] },
    {
      why: 'Cookies are joined by "; " (RFC 9113, 8.2.3): nginx loses the first, Apache makes one cookie of both.',
      status: [200],
      of: ['two cookie headers'],
    },
    {
      why: 'Which of two types counts is not said: whoever filters in front of us might have read the other one.',
      status: [400],
      of: ['Content-Type twice'],
    },
  ],
  'framing of bodies': [
    {
      why: laxFraming,
      status: [400],
      of: ['a blank after the size', 'chunked, chunked', 'a trailer that names the length'],
    },
    {
      why: 'Half a body is none: nginx hangs up without a word, Apache runs PHP on it or not, as it happens.',
      status: [400],
      of: ['chunked, cut short', 'chunked, cut before the last chunk'],
    },
  ],
  connections: [
    {
      why: 'A page that is here in one piece has a length, so that a client of HTTP/1.0 may keep its connection.',
      status: [200, 200],
      of: ['HTTP/1.0 with keep-alive, then close'],
    },
    { why: absolute, status: [200], of: ['HTTP/1.0 with a whole URL'] },
    { why: shortPage, status: [502, 200], of: ['less output than its Content-Length, then GET'] },
    {
      why: 'Who asks for an upgrade waits for the answer (RFC 9110, 7.8). What is sent before, Node takes for the new protocol.',
      status: [200],
      of: ['an upgrade, and more before it is granted'],
    },
  ],
  files: [
    { why: rawBytes, status: [400], of: ['"caf\u00c3\u00a9.txt"'] },
    { why: link, status: [404], of: ['"out.txt"', 'a link out of the root beside a front controller'] },
    {
      why: 'A server may ignore Range (RFC 9110, 14.2), and thirty small pieces are rather an attack than a reader.',
      status: [200],
      of: ['thirty ranges'],
    },
    {
      why: 'If-Modified-Since is ignored where there is If-None-Match (RFC 9110, 13.1.3): the file is the same.',
      status: [304],
      of: ['the tag, but an earlier date'],
    },
    {
      why: 'no-cache asks for a fresh answer: it is given, as the whole file (RFC 9111, 5.2.1.4).',
      status: [200],
      of: ['Cache-Control: no-cache'],
    },
    {
      why: 'An empty file has no first byte, so that no range can be satisfied (RFC 9110, 14.1.2).',
      status: [416],
      of: ['a range of an empty file'],
    },
  ],
  'what PHP answers': [
    { why: 'There is no content to 205 (RFC 9110, 15.3.6).', status: [205], of: ['status-205-body'] },
    { why: interim, status: [502], of: ['status-100', 'status-101', 'status-103'] },
    { why: 'Not a status: nginx hangs up, Apache says 500.', status: [502], of: ['status-1000'] },
    { why: shortPage, status: [502], of: ['length-too-large'] },
    { why: bytesInValue, status: [200], of: ['value-control', 'value-escape', 'value-del'] },
    { why: badName, status: [200], of: ['name-odd', 'name-high'] },
    {
      why: 'What Connection names is for this hop alone (RFC 9110, 7.6.1): it is taken off, as PHP is no hop of the client.',
      status: [200],
      of: ['connection-names', 'connection-names, asked by HEAD', 'connection-names, asked by HTTP/1.0'],
    },
    {
      why: 'What Connection names is for this hop alone (RFC 9110, 7.6.1): it is taken off, as PHP is no hop of the client.',
      status: [200, 200],
      of: ['connection-names, and a second request behind it'],
    },
  ],
};
