// Many requests at once, and what became of each.
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayClient } from '../client/gateway-client.js';
import { patiently } from './trial.js';

export interface ManyRequests {
  readonly type: string;
  /** Begins the ids. */
  readonly prefix: string;
  readonly inFlight: number;
  /** Told after each one that was accepted. */
  readonly onAccepted?: (count: number) => void;
}

export interface AcceptedRequest<D> {
  readonly id: string;
  readonly data: D;
  readonly executionId: string;
}

/** An execution as far as proofs look at it. */
export interface Outcome {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: { readonly title?: string; readonly detail?: string };
  /** Kinds of reviews that it waits for. */
  readonly reviews: readonly string[];
}

const TERMINAL = new Set(['completed', 'faulted', 'cancelled']);

/** Asks for all, each until it is accepted. */
export async function requestAll<D>(client: GatewayClient, data: readonly D[], { type, prefix, inFlight, onAccepted }: ManyRequests): Promise<readonly AcceptedRequest<D>[]> {
  const accepted: AcceptedRequest<D>[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < data.length) {
      const n = next++;
      const id = `${prefix}-${n}`;
      const body = JSON.stringify({ type, source: '/prove', data: data[n] });
      const headers = { 'content-type': 'application/json', 'idempotency-key': id };
      const reply = await patiently(() => client.call<{ executionId: string }>('/v1/requests', { method: 'POST', headers, body, timeoutMs: 20_000 }));
      accepted.push({ id, data: data[n]!, executionId: reply.body.executionId });
      onAccepted?.(accepted.length);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return accepted;
}

/** Waits until each has ended or waits for a person; what has not by then is told as it stands. */
export async function outcomesOf(client: GatewayClient, executionIds: readonly string[], waitMs: number): Promise<ReadonlyMap<string, Outcome>> {
  const until = Date.now() + waitMs;
  const outcomes = new Map<string, Outcome>();
  let open = [...executionIds];
  const look = async (id: string): Promise<void> => {
    type Shape = { status: string; output?: unknown; error?: Outcome['error']; waits?: readonly { kind: string; subject: string }[] };
    const { body } = await patiently(() => client.call<Shape>(`/v1/executions/${id}`, { accept: [404] }));
    const reviews = (body.waits ?? []).filter(({ kind }) => kind === 'review').map(({ subject }) => subject);
    outcomes.set(id, { status: body.status, output: body.output, ...(body.error ? { error: body.error } : {}), reviews });
  };
  const isOver = (id: string): boolean => {
    const outcome = outcomes.get(id);
    return outcome !== undefined && (TERMINAL.has(outcome.status) || outcome.reviews.length > 0);
  };
  while (open.length > 0 && Date.now() < until) {
    const turn = [...open];
    await Promise.all(
      Array.from({ length: 24 }, async () => {
        for (let id = turn.pop(); id !== undefined; id = turn.pop()) await look(id);
      }),
    );
    open = open.filter((id) => !isOver(id));
    if (open.length > 0) await sleep(200);
  }
  return outcomes;
}
