// Each topic once: name, who may publish, how its body is encoded.
import { isTenantId, rejection, type Json, type Rejection } from '@weft/kernel';
import { Command, Job } from './generated/weft/v1/jobs.js';

/** How a topic's bodies become bytes. `decode` throws on bytes it does not understand. */
export interface BodyCodec<B> {
  readonly contentType: string;
  readonly encode: (body: B) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => B;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bodies as JSON text. */
export function jsonCodec<B extends Json | ResultBody | LifecycleBody | DeadLetterBody | CheckpointAnnouncement>(): BodyCodec<B> {
  return {
    contentType: 'application/json',
    encode: (body) => Buffer.from(JSON.stringify(body)),
    decode: (bytes) => JSON.parse(utf8.decode(bytes)) as B,
  };
}

function protoCodec<B>(message: { encode(body: B): { finish(): Uint8Array }; decode(bytes: Uint8Array): B }): BodyCodec<B> {
  return {
    contentType: 'application/protobuf',
    encode: (body) => message.encode(body).finish(),
    decode: (bytes) => message.decode(bytes),
  };
}

/** The answer to a request: exactly one for each that was accepted. Subject = request id. */
export interface ResultBody {
  readonly executionId: string;
  readonly requestId: string;
  /** The execution that this one was forked from: its request had a result before, or has none of its own any more. */
  readonly forkedFrom?: string;
  /** completed: `output`; faulted, cancelled: `error`; refused: never started, `error` says why. */
  readonly status: 'completed' | 'faulted' | 'cancelled' | 'refused';
  readonly output?: Json;
  readonly error?: Json;
}

/** A recorded change in the life of an execution, or an event that a workflow emitted (`data`). */
export interface LifecycleBody {
  readonly executionId: string;
  readonly requestId: string;
  readonly workflow: string;
  readonly data?: Json;
  /** The whole CloudEvent, of one that a workflow emitted. */
  readonly event?: Json;
  /** What the Open Workflow Specification says of a lifecycle event: `name`, `definition`, `startedAt`, `output` ... */
  readonly [standard: string]: Json | undefined;
}

/** A message that was set aside, with what is needed to understand and redrive it. */
export interface DeadLetterBody {
  readonly reason: Rejection;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The value's bytes, base64. */
  readonly valueBase64: string;
}

/** A signed checkpoint of the log, as announced on weft.audit. */
export interface CheckpointAnnouncement {
  readonly size: number;
  readonly note: string;
}

export interface Topic<B> {
  readonly name: string;
  /** external: producers outside Weft write to it; internal: Weft alone. */
  readonly audience: 'external' | 'internal';
  readonly partitions: number;
  readonly codec: BodyCodec<B>;
}

const topic = <B>(name: string, audience: Topic<B>['audience'], partitions: number, codec: BodyCodec<B>): Topic<B> => ({ name, audience, partitions, codec });

/** The topic registry. Partitions are what a new topic is created with; an existing topic keeps its own. */
export const TOPICS = {
  requests: topic<Json>('weft.requests', 'external', 6, jsonCodec<Json>()),
  commands: topic<Command>('weft.commands', 'internal', 12, protoCodec(Command)),
  jobs: topic<Job>('weft.jobs', 'internal', 12, protoCodec(Job)),
  lifecycle: topic<LifecycleBody>('weft.lifecycle', 'internal', 6, jsonCodec<LifecycleBody>()),
  results: topic<ResultBody>('weft.results', 'internal', 6, jsonCodec<ResultBody>()),
  audit: topic<CheckpointAnnouncement>('weft.audit', 'internal', 1, jsonCodec<CheckpointAnnouncement>()),
} as const;

export type TopicKey = keyof typeof TOPICS;
export type BodyOf<K extends TopicKey> = (typeof TOPICS)[K] extends Topic<infer B> ? B : never;

/** The tenant whose topics carry no suffix. */
export const DEFAULT_TENANT = 'default';

/** The topic of a tenant: requests and results are bound to one tenant each; the others serve all. */
export function topicName(key: TopicKey, tenant: string = DEFAULT_TENANT): string {
  const { name } = TOPICS[key];
  return (key === 'requests' || key === 'results') && tenant !== DEFAULT_TENANT ? `${name}.${tenant}` : name;
}

/** Where messages of a topic go that were set aside. */
export const deadTopicName = (name: string): string => `${name}.dead`;

/** The registered topic behind a name, or behind that of one tenant (`weft.requests.acme`); a rejection that lists the registered ones for any other, `.dead` included. */
export function topicOfName(name: string): { readonly ok: true; readonly key: TopicKey } | { readonly ok: false; readonly rejection: Rejection } {
  for (const key of Object.keys(TOPICS) as TopicKey[]) {
    const base = TOPICS[key].name;
    if (name === base || ((key === 'requests' || key === 'results') && name.startsWith(`${base}.`) && isTenantId(name.slice(base.length + 1)))) return { ok: true, key };
  }
  const known = Object.values(TOPICS).map((entry) => entry.name);
  return { ok: false, rejection: rejection('unknown-topic', `Expected one of the topics ${known.join(', ')} but got ${JSON.stringify(name)}.`) };
}
