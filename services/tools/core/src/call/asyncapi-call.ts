// The standard's `call: asyncapi`. Source: Open Workflow Specification 1.0.3, dsl-reference.md#asyncapi-call.
import { parseDuration } from '@weft/workflow';
import type { Json, JsonObject } from '@weft/kernel';
import { reading, type Fields, type Reading, type ResourceReference } from './fields.js';

export interface AsyncApiSubscription {
  /** Condition on a message, with the values of the variables that it reads. */
  readonly filter?: { readonly expression: string; readonly variables: JsonObject };
  /** Messages that fit; undefined: as many as come in time. */
  readonly amount: number | undefined;
  /** Milliseconds; undefined: until the amount is there, as long as the deployment lets it. */
  readonly forMs: number | undefined;
  /** Of one that goes on with another job: where this one begins, as the last one said; undefined: it is the first. */
  readonly batch?: { readonly position: JsonObject | undefined };
}

export interface AsyncApiCall {
  readonly document: ResourceReference;
  /** Of a document of AsyncAPI 2. */
  readonly channel: string | undefined;
  /** Of a document of AsyncAPI 3. */
  readonly operation: string | undefined;
  readonly server: { readonly name: string; readonly variables: JsonObject } | undefined;
  readonly protocol: string | undefined;
  readonly direction: 'publish' | 'subscribe';
  readonly message: { readonly payload: Json; readonly headers: { readonly [name: string]: string } };
  readonly subscription: AsyncApiSubscription;
  readonly authentication?: Json;
}

/** A message as a subscription gives it. Source: dsl-reference.md#asyncapi-inbound-message. */
export interface InboundMessage {
  readonly payload: Json;
  readonly headers: JsonObject;
  readonly correlationId?: string;
}

export function readAsyncApiCall(args: Json): Reading<AsyncApiCall> {
  return reading('an AsyncAPI call', args, (fields) => {
    const server = fields.fieldsOr('server');
    const message = fields.fieldsOr('message');
    if (!message && fields.get('subscription') === undefined) fields.fail('message', 'an object beside or instead of a subscription');
    const authentication = fields.get('authentication');
    return {
      document: fields.resource('document'),
      channel: fields.textOr('channel', undefined),
      operation: fields.textOr('operation', undefined),
      server: server && { name: server.text('name'), variables: server.record('variables') },
      protocol: fields.textOr('protocol', undefined),
      direction: message ? 'publish' : 'subscribe',
      message: { payload: message?.get('payload') ?? null, headers: message?.headers('headers') ?? {} },
      subscription: subscriptionOf(fields.fields('subscription')),
      ...(authentication === undefined ? {} : { authentication }),
    };
  });
}

function subscriptionOf(fields: Fields): AsyncApiSubscription {
  const consume = fields.fields('consume');
  const filter = fields.fieldsOr('filter');
  const batch = fields.fieldsOr('batch');
  return {
    ...(filter ? { filter: { expression: filter.text('expression'), variables: filter.record('variables') } } : {}),
    amount: consume.integer('amount', 1, 1_000),
    forMs: durationOf(consume),
    ...(batch ? { batch: { position: batch.get('position') === undefined ? undefined : batch.record('position') } } : {}),
  };
}

function durationOf(fields: Fields): number | undefined {
  const given = fields.get('for');
  if (given === undefined) return undefined;
  const duration = parseDuration(given);
  return duration.ok ? duration.ms : fields.fail('for', 'a duration', given);
}
