// Sending events to executions.
import type { Json } from '@weft/kernel';
import { randomUUID } from 'node:crypto';
import type { GatewayClient } from './gateway-client.js';
import { isEnded, type ExecutionShape } from './shapes.js';

/** The receipt of an event: of one that is addressed, or of one that went to whoever listens. */
export interface SignalReceipt {
  readonly eventId: string;
  readonly status: string;
  readonly executionId?: string;
  /** The execution had it already. */
  readonly duplicate?: boolean;
  /** How many executions took it, and the first of them. */
  readonly taken?: number;
  readonly executions?: readonly string[];
}

/** What the command line says of an event. */
export interface SignalFields {
  readonly type: string;
  readonly source: string;
  readonly data?: Json | undefined;
  readonly subject?: string | undefined;
  readonly id?: string | undefined;
}

/** A CloudEvent in structured mode. Without an id it gets a new one. */
export const signalEvent = ({ type, source, data = null, subject, id = randomUUID() }: SignalFields): string =>
  JSON.stringify({ specversion: '1.0', id, source, type, ...(subject === undefined ? {} : { subject }), data });

/** Sends a CloudEvent in structured mode: to an execution, or to whoever listens for what it carries. */
export async function sendSignal(client: GatewayClient, event: string, execution: string | undefined): Promise<SignalReceipt> {
  const path = execution === undefined ? '/v1/events' : `/v1/executions/${encodeURIComponent(execution)}/signals`;
  return (await client.call<SignalReceipt>(path, { method: 'POST', headers: { 'content-type': 'application/cloudevents+json' }, body: event })).body;
}

/** Sends an event to an execution that may have ended by now. @returns whether it had not. */
export async function offerSignal(client: GatewayClient, event: string, execution: string): Promise<boolean> {
  try {
    await sendSignal(client, event, execution);
    return true;
  } catch (fault) {
    const { body } = await client.call<ExecutionShape>(`/v1/executions/${encodeURIComponent(execution)}`);
    if (isEnded(body.status)) return false;
    throw fault;
  }
}
