/** One request of a node server, answered through a Gateway: what the adapters for node's frameworks share. */
import { hostRefusal } from '../cgi/host.ts';
import type { Gateway, Incoming } from './gateway.ts';
import type { FileRefusal } from './reply/handed-file.ts';
import { statusFor } from './reply/head.ts';
import {
  endWithReset,
  isGone,
  type NodeRequest,
  type NodeResponse,
  serverOf,
  whenOver,
} from './reply/node/node-response.ts';
import { NodeSink } from './reply/node/node-sink.ts';
import { expectTaken } from './reply/node/send-timeout.ts';
import { endedByOther } from './reply/outcome.ts';
import type { Reply } from './reply/reply.ts';
import type { Sink } from './reply/sink.ts';
import { hasLostHeaders, hostFields, illFormed, incoming } from './request/node-request.ts';
import type { Trust } from './request/proxies.ts';
import { requestLine } from './site/request-line.ts';
import type { Plan, RunScript } from './site/site.ts';
import { fileError } from './site/static/file-error.ts';
import { sendBySink, sendToNode } from './site/static/send-node.ts';

/** What a framework's request stands for. */
export interface NodePair {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  /** Default: on the request itself. */
  readonly left?: object;
  readonly trust?: Trust | undefined;
  /** Default: by node's response object. */
  readonly sink?: Sink;
}

/**
 * `request` is what the hooks of the options are given: the framework's own, or node's.
 *
 * Of several that came in one go it is the first one's turn, as with nginx: nobody could be sent the others' answers yet, and
 * node does not say of them that their client has left.
 */
export function answerNodeRequest<Req>(
  gateway: Gateway<Req>,
  judged: Plan,
  request: Req,
  raw: NodePair,
): void {
  const plan = judged.kind === 'pass' ? judged.otherwise : judged;
  const { pipelined } = gateway;
  if (pipelined.isInLine(raw.request, raw.response))
    pipelined.wait(raw.request, raw.response, () => answerNow(gateway, plan, request, raw));
  else answerNow(gateway, plan, request, raw);
}

function answerNow<Req>(
  gateway: Gateway<Req>,
  plan: Exclude<Plan, { kind: 'pass' }>,
  request: Req,
  raw: NodePair,
): void {
  const loading = gateway.load(plan);
  if (loading) void loading.then(() => carryOut(gateway, plan, request, raw));
  else carryOut(gateway, plan, request, raw);
}

function carryOut<Req>(
  gateway: Gateway<Req>,
  plan: Exclude<Plan, { kind: 'pass' }>,
  request: Req,
  raw: NodePair,
): void {
  const { response } = raw;
  // the client left while a middleware was busy: nothing would tell us any more
  if (isGone(response)) return;
  endWithReset(response);
  const refusal =
    refusalOf(raw.request, plan) ?? (plan.kind === 'file' ? sendFile(gateway, plan, request, raw) : null);
  const ended = (): void => expectTaken(response, gateway.sendTimeout);
  if (plan.kind === 'file' && refusal === null) {
    ended();
    return;
  }
  const sink = raw.sink ?? new NodeSink(raw.request, response);
  const reply = gateway.replyBy(sink, raw.request.method ?? '', request);
  // behind a head it may be right: a framework ends the response to HEAD, or one with 304, without its body
  whenOver(response, () =>
    reply.leave(response.writableEnded && reply.isAwaited ? endedByOther() : undefined),
  );
  response.on('error', () => reply.leave());
  reply.hold(ended);
  if (refusal) reply.refuse(refusal.statusCode, refusal.reason, refusal.headers);
  else if (plan.kind === 'run') run(gateway, plan, request, raw, reply);
  else if (plan.kind === 'redirect') reply.refuse(plan.statusCode, undefined, { Location: plan.location });
  else if (plan.kind === 'answer') reply.refuse(plan.statusCode, plan.reason, plan.headers);
}

/** What is refused whatever it asks for; null: nothing speaks against it. */
function refusalOf(request: NodeRequest, plan: Plan): FileRefusal | null {
  const statusCode = illFormed(request) ?? (hasLostHeaders(request) ? 431 : null);
  // and the connection with it: what follows may be taken for another request
  if (statusCode !== null) return { statusCode, headers: { Connection: 'close' } };
  // a script's is looked at with its params, where a trusted proxy may name another
  const reason = plan.kind === 'run' ? null : hostRefusal(hostFields(request));
  return reason && { statusCode: 400, reason };
}

/** Null: it is on its way. */
function sendFile<Req>(
  gateway: Gateway<Req>,
  plan: Plan & { kind: 'file' },
  left: Req,
  { request, response, sink }: NodePair,
): FileRefusal | null {
  const broken = (error: Error, statusCode: number): void => gateway.report(left, error, statusCode);
  try {
    const acceptEncoding = String(request.headers['accept-encoding'] ?? '');
    const { sendTimeout } = gateway;
    return gateway.sendFile(plan, acceptEncoding, (file) =>
      sink
        ? sendBySink(file, request, sink, sendTimeout, broken)
        : sendToNode(file, request, response, sendTimeout, broken),
    );
  } catch (error) {
    return fileError(error);
  }
}

function run<Req>(gateway: Gateway<Req>, plan: RunScript, request: Req, raw: NodePair, reply: Reply): void {
  let asked: Incoming;
  try {
    asked = incoming(raw.request, raw.left, raw.trust);
  } catch (error) {
    reply.refuse(statusFor(error), error);
    return;
  }
  gateway.run(plan, request, asked, reply);
}

/** As `http.createServer` and `app.use` take it. Without `next`, what is not PHP's is answered 404. */
export type NodeHandler<Req extends NodeRequest = NodeRequest> = (
  request: Req,
  response: NodeResponse,
  next?: (error?: unknown) => void,
) => void;

export function nodeHandler<Req extends NodeRequest>(gateway: Gateway<Req>): NodeHandler<Req> {
  const handler: NodeHandler<Req> = (request, response, next) => {
    const plan = gateway.plan(requestLine(request), isOnlyListener(handler, request));
    if (plan.kind === 'pass' && next) {
      next();
      return;
    }
    answerNodeRequest(gateway, plan, request, { request, response, trust: expressTrust(request) });
  };
  return handler;
}

/** `http.createServer(handler)`, and nobody else is told of requests. */
function isOnlyListener(handler: unknown, request: NodeRequest): boolean {
  const [first, second] = serverOf(request)?.listeners('request') ?? [];
  return first === handler && second === undefined;
}

/** Express's setting `trust proxy`, as the function that Express makes of it. */
function expressTrust(request: object): Trust | undefined {
  if (!('app' in request)) return undefined;
  const { app } = request;
  if (typeof app !== 'function' || !('get' in app) || typeof app.get !== 'function') return undefined;
  const trusts: unknown = app.get('trust proxy fn');
  return typeof trusts === 'function'
    ? { trusts: (address, hop) => trusts(address, hop) === true }
    : undefined;
}
