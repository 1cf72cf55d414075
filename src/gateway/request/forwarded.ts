/** What proxies write down of a request: `Forwarded` (RFC 7239) and the older `X-Forwarded-*`. */
import { isIP } from 'node:net';
import type { Endpoint } from '../../cgi/env.ts';

/** Null: it hides its address, or wrote nonsense. */
export type Hop = Endpoint | null;

/** In the order of the headers: the last one is what the nearest proxy says. */
export interface Hops {
  readonly for: readonly Hop[];
  readonly proto: readonly string[];
  readonly host: readonly string[];
  readonly port: readonly string[];
}

/** `heard`: names of the headers that count, in lower case. */
export function hopsOf(headers: Iterable<readonly [string, string]>, heard: ReadonlySet<string>): Hops {
  const texts = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (!heard.has(key)) continue;
    const before = texts.get(key);
    texts.set(key, before === undefined ? value : `${before},${value}`);
  }
  const forwarded = texts.get('forwarded');
  if (forwarded !== undefined) return elementsOf(forwarded);
  return {
    for: list(texts.get('x-forwarded-for')).map(hopOf),
    proto: list(texts.get('x-forwarded-proto')),
    host: list(texts.get('x-forwarded-host')),
    port: list(texts.get('x-forwarded-port')),
  };
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** An element that lacks a value has '' there, so that the values of one element stay side by side. */
function elementsOf(text: string): Hops {
  const found = { for: [] as Hop[], proto: [] as string[], host: [] as string[], port: [] };
  // name=token or name="quoted", then what separates it from the next
  const pair = /[\t ]*([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\t ",;]*))[\t ]*([,;]|$)/y;
  let element = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    pair.lastIndex = at;
    const [all, name = '', quoted, token = '', end] = pair.exec(text) ?? [];
    // what follows nonsense cannot be told from what a client has made up
    if (all === undefined) return { for: [], proto: [], host: [], port: [] };
    element.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token);
    at += all.length;
    if (end === ';') continue;
    found.for.push(hopOf(element.get('for') ?? ''));
    found.proto.push(element.get('proto') ?? '');
    found.host.push(element.get('host') ?? '');
    element = new Map();
  }
  return found;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. A port that is not there is 0. */
export function hopOf(text: string): Hop {
  if (isIP(text) !== 0) return { address: text, port: 0 };
  const [, ipv6, ipv4, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = ipv6 ?? ipv4 ?? '';
  return isIP(address) === 0 ? null : { address, port: Number(port ?? 0) };
}
