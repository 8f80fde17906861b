// The standard's `call: a2a`. Source: Open Workflow Specification 1.0.3, dsl-reference.md#a2a-call; A2A 0.3 and 1.0, JSON-RPC binding.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import { reading, type Reading, type ResourceReference } from './fields.js';

// What a method may change. Agents need not notice that a message comes twice.
const EFFECTS = {
  'message/send': 'non-idempotent-write',
  'message/stream': 'non-idempotent-write',
  'tasks/get': 'read',
  'tasks/list': 'read',
  'tasks/cancel': 'idempotent-write',
  'tasks/resubscribe': 'read',
  'tasks/pushNotificationConfig/set': 'idempotent-write',
  'tasks/pushNotificationConfig/get': 'read',
  'tasks/pushNotificationConfig/list': 'read',
  'tasks/pushNotificationConfig/delete': 'idempotent-write',
  'agent/getAuthenticatedExtendedCard': 'read',
} as const satisfies { readonly [method: string]: EffectClass };
export type A2aMethod = keyof typeof EFFECTS;
export const A2A_METHODS = Object.keys(EFFECTS) as readonly A2aMethod[];

/** Answered by a stream of results. */
const STREAMED: ReadonlySet<A2aMethod> = new Set(['message/stream', 'tasks/resubscribe']);

export interface A2aCall {
  readonly method: A2aMethod;
  readonly parameters: JsonObject;
  /** Where the agent is, or the card that tells. */
  readonly agent: { readonly url: string } | { readonly card: ResourceReference };
  readonly authentication?: Json;
  readonly effect: EffectClass;
  readonly isStreamed: boolean;
}

/** @param messageId of a message that has none: a UUID that stays the same when the call comes again. */
export function readA2aCall(args: Json, messageId: () => string): Reading<A2aCall> {
  return reading('an A2A call', args, (fields) => {
    const method = fields.oneOf('method', A2A_METHODS);
    const { uri: url, authentication } = fields.get('agentCard') === undefined ? fields.endpoint('server') : { uri: '', authentication: undefined };
    const parameters = fields.record('parameters');
    return {
      method,
      parameters: method === 'message/send' || method === 'message/stream' ? withMessageDefaults(parameters, messageId) : parameters,
      agent: url === '' ? { card: fields.resource('agentCard') } : { url },
      ...(authentication === undefined ? {} : { authentication }),
      effect: EFFECTS[method],
      isStreamed: STREAMED.has(method),
    };
  });
}

function withMessageDefaults(parameters: JsonObject, messageId: () => string): JsonObject {
  const { message } = parameters;
  if (!isJsonObject(message)) return parameters;
  return { ...parameters, message: { kind: 'message', role: 'user', ...message, messageId: message['messageId'] ?? messageId() } };
}

/** The address at which an agent speaks JSON-RPC, as its card tells; undefined: it tells none. */
export function jsonRpcUrl(card: Json): string | undefined {
  if (!isJsonObject(card)) return undefined;
  const { url, preferredTransport = 'JSONRPC' } = card;
  const listed = [card['supportedInterfaces'], card['additionalInterfaces']].flatMap((list) => (Array.isArray(list) ? (list as readonly Json[]).filter(isJsonObject) : []));
  const speaking = listed.find(({ transport, protocolBinding }) => transport === 'JSONRPC' || protocolBinding === 'JSONRPC');
  const found = preferredTransport === 'JSONRPC' && typeof url === 'string' ? url : speaking?.['url'];
  return typeof found === 'string' && URL.canParse(found) ? found : undefined;
}

/** What an answer of JSON-RPC 2.0 holds. */
export type RpcAnswer = { readonly ok: true; readonly result: Json } | { readonly ok: false; readonly problem: string; readonly isError: boolean };

/** `isError`: the server itself says that it failed. */
export function rpcAnswer(answer: Json): RpcAnswer {
  if (!isJsonObject(answer)) return { ok: false, problem: 'the answer is no object of JSON-RPC', isError: false };
  const { error, result } = answer;
  if (isJsonObject(error)) return { ok: false, problem: `the agent answers with error ${JSON.stringify(error['code'] ?? null)}: ${String(error['message'] ?? '').slice(0, 1_000)}`, isError: true };
  return result === undefined ? { ok: false, problem: 'the answer has neither a result nor an error', isError: false } : { ok: true, result };
}
