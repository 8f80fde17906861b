// Publishing requests and reading what became of them.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayClient } from './gateway-client.js';
import { isEnded, type AcceptedShape, type DeployedShape, type ExecutionShape, type OperatedShape, type RouteShape, type TimelineShape } from './shapes.js';

const STRUCTURED = 'application/cloudevents+json';
// Between two looks: short at first, as most executions end at once.
const POLL_MS_MIN = 10;
const POLL_MS_MAX = 100;

/** Publishes a CloudEvent in structured mode. @param waitS seconds to wait for its end; 0: do not wait. */
export async function publishEvent(client: GatewayClient, event: string, waitS = 0): Promise<AcceptedShape> {
  const headers = { 'content-type': STRUCTURED, traceparent: newTrace(), ...(waitS > 0 ? { prefer: `wait=${waitS}` } : {}) };
  const { body } = await client.call<AcceptedShape>('/v1/requests', { method: 'POST', headers, body: event, timeoutMs: (waitS + 30) * 1_000 });
  return body;
}

/** A trace of its own for a request, recorded where Weft exports traces. Source: W3C Trace Context, version 00. */
const newTrace = (): string => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;

/** Stores a definition version. The same document again is the same version. */
export async function deployDefinition(client: GatewayClient, text: string): Promise<DeployedShape> {
  return (await client.call<DeployedShape>('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: text })).body;
}

/** Everything that is shown of an execution. */
export interface WholeExecution {
  readonly execution: ExecutionShape;
  readonly timeline: TimelineShape;
  readonly route: RouteShape | null;
}

export async function readExecution(client: GatewayClient, id: string): Promise<WholeExecution> {
  const path = `/v1/executions/${encodeURIComponent(id)}`;
  const [execution, timeline, route] = await Promise.all([
    client.call<ExecutionShape>(path),
    readTimeline(client, path),
    // Of an execution that was started otherwise than by a request there is no route.
    client.call<{ readonly route?: RouteShape | null }>(`${path}/route`, { accept: [404] }),
  ]);
  return { execution: execution.body, timeline, route: route.body.route ?? null };
}

/** All of a timeline: a long one comes in pages. */
async function readTimeline(client: GatewayClient, path: string): Promise<TimelineShape> {
  const { body: first } = await client.call<TimelineShape>(`${path}/timeline`);
  const entries = [...first.entries];
  for (let last = entries.at(-1); last !== undefined && last.version < first.version;) {
    const { body } = await client.call<TimelineShape>(`${path}/timeline?after=${last.version}`);
    entries.push(...body.entries);
    last = body.entries.at(-1);
  }
  return { ...first, entries };
}

/** Waits until an execution has come to a status that is wanted. @returns what it is then, or when the time is up. */
export async function untilExecution(client: GatewayClient, id: string, wanted: (execution: ExecutionShape) => boolean, waitMs: number): Promise<ExecutionShape> {
  const deadline = Date.now() + waitMs;
  for (let pollMs = POLL_MS_MIN; ; pollMs = Math.min(pollMs * 1.5, POLL_MS_MAX)) {
    const { body } = await client.call<ExecutionShape>(`/v1/executions/${encodeURIComponent(id)}`);
    if (wanted(body) || isEnded(body.status) || Date.now() >= deadline) return body;
    await sleep(Math.min(pollMs, Math.max(deadline - Date.now(), 0)));
  }
}

export interface OperationWish {
  readonly reason?: string | undefined;
  /** Of fork and reset. */
  readonly task?: string | undefined;
}

/** Does an operation on an execution. Each call is an operation of its own. */
export async function operateExecution(client: GatewayClient, id: string, operation: string, wish: OperationWish): Promise<OperatedShape> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  return (await client.call<OperatedShape>(`/v1/executions/${encodeURIComponent(id)}/${operation}`, { method: 'POST', headers, body: JSON.stringify(wish) })).body;
}
