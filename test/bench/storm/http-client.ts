/** The load over HTTP, the same for every server: kept connections, and nothing is ever sent again. */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Outcome } from './ledger.ts';
import { messageOf, type Shape } from './messages.ts';
import type { Script } from './scripts.ts';

/** ms; a server that has not answered by then has failed. */
export const PATIENCE = 15_000;

export interface HttpClient {
  /** Resolves with the outcome; `status` is 0 where no answer came. */
  send(id: number, shape: Shape, script: Script): Promise<Outcome>;
  close(): void;
}

export function httpClient(url: string): HttpClient {
  const agent = new Agent({ keepAlive: true });
  const { hostname: host, port } = new URL(url);
  const send = (id: number, shape: Shape, script: Script): Promise<Outcome> => {
    const { method, contentType, body, expected } = messageOf(shape, id);
    return new Promise((resolve) => {
      const failed = (reason: string): void => resolve({ kind: 'failed', reason, executed: null });
      const headers: Record<string, string | number> = {};
      if (contentType !== null) headers['Content-Type'] = contentType;
      if (body !== null) headers['Content-Length'] = body.length;
      const sent = request({
        agent,
        host,
        port,
        method,
        path: `/${script}?id=${id}`,
        headers,
        timeout: PATIENCE,
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${PATIENCE} ms`)));
      sent.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
      sent.on('response', (response) => {
        textOf(response).then(
          (text) => {
            if (response.statusCode !== 200) failed(`HTTP ${response.statusCode}`);
            else resolve({ kind: text === expected ? 'answered' : 'wrong' });
          },
          (error: unknown) => failed(`answer cut short: ${error}`),
        );
      });
      sent.end(body);
    });
  };
  return { send, close: () => agent.destroy() };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('latin1')) text += chunk;
  return text;
}
