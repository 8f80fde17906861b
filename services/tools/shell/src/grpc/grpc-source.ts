// A gRPC server as a source of tools: its unary methods, by what it tells about itself.
import { createHash } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { fromBinary, fromJson, toBinary, toJson, type DescMethod, type JsonValue, type Registry } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { rejection, type Json, type JsonObject } from '@weft/kernel';
import { classifyGrpc, identityHeaders, type OfferedTool } from '@weft/tools/core';
import { canonicalJson } from '@weft/workflow';
import { notMade, PAST_DEADLINE, type Sent } from '../carry-out/work.js';
import type { EgressClient } from '../egress/egress-client.js';
import { checkedAnswer, outputProblem } from '../source/output-check.js';
import { SourceUnavailable, type SourceCall, type ToolSource } from '../source/tool-source.js';
import { GrpcConnection, type GrpcTarget } from './grpc-connection.js';
import { messageSchema, wireOf } from './message-schema.js';
import { describe } from './reflection.js';

export interface GrpcSourceOptions extends GrpcTarget {
  readonly identity: Json;
  /** Full names of the services that are offered. Default: all but those that describe and watch the server. */
  readonly services?: readonly string[] | undefined;
  /** Metadata with its secrets filled in. @throws SourceUnavailable when one is missing. */
  readonly metadataOf: () => { readonly [name: string]: string };
  readonly egress: EgressClient;
}

interface Method {
  readonly method: DescMethod;
  readonly registry: Registry;
  readonly offered: OfferedTool;
}

/** A connection and what the server at its end told about itself. */
interface Described {
  readonly connection: GrpcConnection;
  readonly methods: ReadonlyMap<string, Method>;
}

const CONNECT_MS = 10_000;
const DESCRIBE_MS = 10_000;
// A connection that breaks takes every call on it along: calls keep apart from each other where they can.
const CONNECTIONS_MAX = 16;
// They are about the server, not about what it is for.
const OWN = /^grpc\.(reflection|health|channelz)\./;

export class GrpcSource implements ToolSource {
  readonly name: string;
  readonly identity: Json;
  readonly #listeners: (() => void)[] = [];
  readonly #open = new Set<Described>();
  readonly #opening = new Set<Promise<Described>>();
  #isClosed = false;

  constructor(private readonly options: GrpcSourceOptions) {
    this.name = options.source;
    this.identity = options.identity;
  }

  async list(): Promise<readonly OfferedTool[]> {
    // Asked anew, over a connection of its own: the server may have changed behind the old ones.
    const before = [...this.#open];
    const { methods } = await this.#connect(CONNECT_MS);
    this.#end(before);
    return [...methods.values()].map(({ offered }) => offered);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async call({ job, tool, terms, args, sending }: SourceCall): Promise<Sent> {
    const leftMs = (): number => Math.floor(sending.untilMs - performance.now());
    if (leftMs() <= 0) return notMade(PAST_DEADLINE);
    let described: Described;
    let metadata: Metadata;
    try {
      described = await this.#described(Math.min(CONNECT_MS, leftMs()));
      metadata = metadataFrom({ ...this.options.metadataOf(), ...identityHeaders(job), ...(sending.traceparent === '' ? {} : { traceparent: sending.traceparent }) });
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
      return notMade(rejection('unreachable', error.message, { retryable: true }));
    }
    const known = described.methods.get(tool.name);
    if (!known || canonicalJson(known.offered.target ?? null) !== canonicalJson(tool.target ?? null)) {
      this.#listeners.forEach((tell) => tell());
      return notMade(rejection('tool-quarantined', `Expected source ${this.name} to offer ${tool.name} as it was accepted but the server that answers now describes it in another way.`));
    }
    const { method, registry } = known;
    let request: Buffer;
    try {
      request = Buffer.from(toBinary(method.input, fromJson(method.input, args as JsonValue, { registry })));
    } catch (error) {
      return notMade(rejection('input-invalid', `Expected arguments that ${method.input.typeName} can hold but ${(error as Error).message}.`));
    }
    if (request.length > REQUEST_BYTES_MAX) return notMade(rejection('input-invalid', `Expected a request of at most ${REQUEST_BYTES_MAX} bytes but it has ${request.length}.`));
    if (leftMs() <= 0 || sending.halted?.aborted) return notMade(PAST_DEADLINE);
    const result = await described.connection.call(pathOf(method), request, metadata, Date.now() + leftMs());
    const evidence: JsonObject = { source: this.name };
    if (!result.ok) return { outcome: classifyGrpc(terms.effect, result.code, result.details, terms.onError), evidence };
    return { outcome: { kind: 'confirmed' }, evidence, answer: this.#answer(known, tool, result.bytes) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#end([...this.#open]);
  }

  #end(described: readonly Described[]): void {
    for (const one of described) {
      this.#open.delete(one);
      one.connection.end();
    }
  }

  #answer({ method, registry }: Method, tool: OfferedTool, bytes: Buffer): NonNullable<Sent['answer']> {
    try {
      const output = toJson(method.output, fromBinary(method.output, bytes), { alwaysEmitImplicit: true, registry }) as Json;
      return checkedAnswer(output, (value) => outputProblem(tool, value));
    } catch (error) {
      return { output: null, unusable: rejection('output-invalid', `Expected an answer that is a ${method.output.typeName} but ${(error as Error).message}.`) };
    }
  }

  /** A connection for one call: one that nothing else is on, while there may be more; else the one with the fewest calls. */
  async #described(timeoutMs: number): Promise<Described> {
    const open = [...this.#open].filter(({ connection }) => connection.isUsable).toSorted((one, other) => one.connection.calls - other.connection.calls);
    const [best] = open;
    const isFull = open.length + this.#opening.size >= CONNECTIONS_MAX;
    if (best && (best.connection.calls === 0 || isFull)) return best;
    // Nothing stands yet, and enough are on their way: the first of them will do.
    return isFull ? Promise.race(this.#opening) : this.#connect(timeoutMs);
  }

  #connect(timeoutMs: number): Promise<Described> {
    const opening = this.#describe(timeoutMs)
      .then((fresh) => {
        for (const old of this.#open) if (!old.connection.isUsable) this.#open.delete(old);
        this.#open.add(fresh);
        return fresh;
      })
      .finally(() => this.#opening.delete(opening));
    this.#opening.add(opening);
    return opening;
  }

  /** Connects and asks the server to describe itself: what comes after a broken connection may be another server. */
  async #describe(timeoutMs: number): Promise<Described> {
    if (this.#isClosed) throw new SourceUnavailable(`Expected source ${this.name} to be open but Weft is going.`);
    const connection = await GrpcConnection.open(this.options.egress, this.options, timeoutMs);
    try {
      const { services, registry } = await describe(connection.client, metadataFrom(this.options.metadataOf()), Date.now() + DESCRIBE_MS, (name) =>
        this.options.services ? this.options.services.includes(name) : !OWN.test(name),
      );
      return { connection, methods: this.#methods(services, registry) };
    } catch (error) {
      connection.end();
      if (error instanceof SourceUnavailable) throw error;
      throw new SourceUnavailable(`Expected source ${this.name} to describe itself by server reflection but ${(error as Error).message}.`, { cause: error });
    }
  }

  #methods(names: readonly string[], registry: Registry): ReadonlyMap<string, Method> {
    const shortOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
    const methods = new Map<string, Method>();
    for (const name of names) {
      const service = registry.getService(name);
      const isAlone = names.filter((other) => shortOf(other) === shortOf(name)).length === 1;
      for (const method of service?.methods ?? []) {
        // Streams have no single answer that could be recorded.
        if (method.methodKind !== 'unary') continue;
        const offered = offeredOf(`${isAlone ? shortOf(name) : name}.${method.name}`, method);
        methods.set(offered.name, { method, registry, offered });
      }
    }
    return methods;
  }
}

const REQUEST_BYTES_MAX = 4 * 1024 * 1024;

const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

function offeredOf(name: string, method: DescMethod): OfferedTool {
  const level = method.idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN ? undefined : MethodOptions_IdempotencyLevel[method.idempotency];
  const wire = createHash('sha256')
    .update(canonicalJson({ input: wireOf(method.input), output: wireOf(method.output) }))
    .digest('hex');
  return {
    name,
    description: `Method ${method.name} of ${method.parent.typeName}: takes ${method.input.typeName}, gives ${method.output.typeName}.`,
    input: messageSchema(method.input, 'input'),
    output: messageSchema(method.output, 'output'),
    target: { method: pathOf(method), wire },
    ...(level === undefined ? {} : { hints: { idempotency: level } }),
  };
}

function metadataFrom(values: { readonly [name: string]: string }): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}
