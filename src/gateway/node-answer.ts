/** One request of a node server, answered through a Gateway: what the adapters for node's frameworks share. */
import type { Gateway } from './gateway.ts';
import { isGone, type NodeRequest, type NodeResponse, NodeSink } from './reply/node-sink.ts';
import { incoming, isIllFormed } from './request/node-request.ts';
import { fileError } from './site/file-error.ts';
import { sendToNode } from './site/send-node.ts';
import type { Answer, Plan } from './site/site.ts';

/** What a framework's request stands for. */
export interface NodePair {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
}

/** `request` is what the hooks of the options are given: the framework's own, or node's. */
export function answerNodeRequest<Req>(gateway: Gateway<Req>, plan: Plan, request: Req, raw: NodePair): void {
  const { response } = raw;
  // the client left while a middleware was busy: nothing would tell us any more
  if (isGone(response)) return;
  const refusal = plan.kind === 'file' && !isIllFormed(raw.request) ? sendFile(gateway, plan, raw) : null;
  if (plan.kind === 'file' && refusal === null) return;
  const sink = new NodeSink(raw.request, response);
  const reply = gateway.replyBy(sink, raw.request.method ?? '', request);
  response.on('close', () => reply.leave());
  response.on('error', () => reply.leave());
  response.on('drain', () => reply.resume());
  if (isIllFormed(raw.request)) reply.refuse(400);
  else if (plan.kind === 'run') gateway.run(plan, request, incoming(raw.request), reply);
  else if (plan.kind === 'redirect') reply.refuse(plan.statusCode, undefined, { Location: plan.location });
  else if (plan.kind === 'pass') reply.refuse(404);
  else if (plan.kind === 'file') reply.refuse(refusal?.statusCode ?? 400, refusal?.reason, refusal?.headers);
  else reply.refuse(plan.statusCode, plan.reason, plan.headers);
}

/** Null: it is on its way. */
function sendFile<Req>(
  gateway: Gateway<Req>,
  plan: Plan & { kind: 'file' },
  { request, response }: NodePair,
): Omit<Answer, 'kind'> | null {
  try {
    const file = gateway.file(plan, String(request.headers['accept-encoding'] ?? ''));
    const refusal = sendToNode(file, request, response);
    return refusal && { ...refusal, reason: undefined };
  } catch (error) {
    return fileError(error);
  }
}
