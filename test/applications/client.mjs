/** A small browser: cookies, forms, a name that is the same for each front. It follows nothing by itself. */
import { once } from 'node:events';
import { request } from 'node:http';

export const HOST = 'site.test';

export class Client {
  #cookies = new Map();
  #answers = [];

  constructor(port) {
    this.port = port;
  }

  /** All that was answered so far. */
  get answers() {
    return this.#answers;
  }

  async step(name, path, { method = 'GET', headers = {}, body = null } = {}) {
    const cookie = [...this.#cookies].map(([key, value]) => `${key}=${value}`).join('; ');
    const sent = request({
      host: '127.0.0.1',
      port: this.port,
      path,
      method,
      headers: {
        Host: HOST,
        'User-Agent': 'Mozilla/5.0 (steps)',
        ...(cookie ? { Cookie: cookie } : {}),
        ...headers,
      },
    });
    sent.end(body);
    const [response] = await once(sent, 'response');
    const chunks = [];
    for await (const chunk of response) chunks.push(chunk);
    for (const line of response.headers['set-cookie'] ?? []) this.#take(line);
    const answer = {
      name: `${method} ${path.slice(0, 70)} (${name})`,
      port: this.port,
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.concat(chunks).toString('latin1'),
    };
    this.#answers.push(answer);
    return answer;
  }

  form(name, path, fields, headers = {}) {
    return this.step(name, path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  }

  async upload(name, path, fields, field, fileName, content) {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) form.set(key, value);
    form.set(field, new Blob([content], { type: 'image/png' }), fileName);
    const encoded = new Response(form);
    return this.step(name, path, {
      method: 'POST',
      headers: { 'Content-Type': encoded.headers.get('content-type') },
      body: Buffer.from(await encoded.arrayBuffer()),
    });
  }

  /** A file in full, again with its ETag, a part of it, and its head. */
  async file(path) {
    const { headers } = await this.step('file', path);
    await this.step('not changed', path, { headers: { 'If-None-Match': headers.etag } });
    await this.step('part', path, { headers: { Range: 'bytes=10-29' } });
    await this.step('part that is not there', path, { headers: { Range: 'bytes=99999999-' } });
    await this.step('head', path, { method: 'HEAD' });
  }

  #take(line) {
    const [, key, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/max-age=0|expires=[^;]*(19[789]\d|20[01]\d|202[0-5])/i.test(line)) this.#cookies.delete(key);
    else this.#cookies.set(key, value);
  }
}

/** The value of a field of a form. */
export function fieldOf(body, name) {
  const tag =
    new RegExp(`<input[^>]*name=["']${name.replaceAll(/[[\]]/g, '\\$&')}["'][^>]*>`).exec(body)?.[0] ?? '';
  return /value=["']([^"']*)/.exec(tag)?.[1] ?? '';
}

/** A PNG of one pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
