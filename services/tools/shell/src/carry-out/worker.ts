// Carries out jobs of kinds tool, http and infer: authorise, check, do, report. The path of static tools is synchronous.
import type { Command, CommandBatch, Context, Job, JobBatch, WorkerPeer } from '@weft/contracts';
import { isJsonObject, isUuid, rejection, type Failure, type Json } from '@weft/kernel';
import { tracerFor } from '@weft/nest-platform';
import { ATTRIBUTE, GEN_AI, inSpan, isSampled, SPAN } from '@weft/telemetry';
import { completion, failureReport, type Authorise } from '@weft/tools/core';
import type { Registry } from '../registry/registry.js';
import { carryOutEffect, type EffectPorts } from './carry-out-effect.js';
import { carryOutInfer, leftMs, type InferPorts } from './carry-out-infer.js';
import { carryOutRead } from './carry-out-read.js';
import { commandBatches, type Carried } from './command-stream.js';
import { callWork } from './http-work.js';
import { INTERNAL_ERROR, isForLater } from './internal-error.js';
import type { Work, WorkMaking } from './work.js';

export interface WorkerPorts extends InferPorts, EffectPorts {
  readonly registry: Registry;
  readonly authorise: Authorise;
  /** Timeout of a `call: http`, milliseconds. */
  readonly callTimeoutMs: number;
}

const NO_TAINT: readonly string[] = [];

export class ToolsWorker implements WorkerPeer {
  /** Jobs under way, by idempotency key: a duplicate joins. */
  readonly #underWay = new Map<string, Promise<Command | undefined>>();
  /** Streams of results that whoever called has not read to their end. */
  readonly #streams = new Set<Promise<void>>();
  #isDraining = false;

  constructor(private readonly ports: WorkerPorts) {}

  /** Results stream back as they come. A job that comes to nothing (the process is going, the store is away) is left out: it is dispatched again. */
  carryOut({ jobs }: JobBatch, _context: Context): AsyncIterable<CommandBatch> {
    return this.#watched(commandBatches(jobs.map((job) => this.carry(job))));
  }

  /** One job. Synchronous when nothing outside has to be asked. */
  carry(job: Job): Carried {
    if (this.#isDraining) return undefined;
    try {
      return this.#begin(job);
    } catch (error) {
      return this.#unexpected(job, error);
    }
  }

  /** Begins no more jobs; resolves when everything under way has come to something and whoever called has taken it. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#underWay.size + this.#streams.size > 0) await Promise.allSettled([...this.#underWay.values(), ...this.#streams]);
  }

  async *#watched(batches: AsyncIterable<CommandBatch>): AsyncGenerator<CommandBatch, void, undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#streams.add(promise);
    try {
      yield* batches;
    } finally {
      this.#streams.delete(promise);
      resolve();
    }
  }

  #begin(job: Job): Carried {
    const problem = problemOf(job);
    if (problem !== undefined) return failureReport(job, rejection('message-invalid', `Expected a job that can be carried out but ${problem}.`), 'none');
    const args = JSON.parse(job.inputJson) as Json;
    switch (job.kind) {
      case 'tool':
        return this.#tool(job, args);
      case 'http': {
        const denial = this.#denial(job, '');
        return denial ? failureReport(job, denial, 'none') : this.#act(job, callWork(this.ports, job, args, this.ports.callTimeoutMs));
      }
      case 'infer': {
        const denial = this.#denial(job, '');
        return denial
          ? failureReport(job, denial, 'none')
          : this.#join(job, () => this.#traced(job, SPAN.infer, { [GEN_AI.operation]: 'chat', [GEN_AI.requestModel]: job.models[0]?.model ?? '' }, () => carryOutInfer(this.ports, job, args)));
      }
      default:
        return failureReport(job, rejection('not-configured', `Expected a job of kind tool, http or infer but got ${JSON.stringify(job.kind)}.`), 'none');
    }
  }

  #tool(job: Job, args: Json): Carried {
    const name = isJsonObject(args) ? args['name'] : undefined;
    const given = isJsonObject(args) ? (args['arguments'] ?? {}) : undefined;
    if (typeof name !== 'string' || given === undefined) return failureReport(job, rejection('input-invalid', 'Expected {name: NAME, arguments: {...}} but the field `name` is no text.'), 'none');
    // Authority comes first: whether a tool exists is nobody's business who may not use it.
    const denial = this.#denial(job, name);
    if (denial) return failureReport(job, denial, 'none');
    const entry = this.ports.registry.find(name);
    if (!entry)
      return failureReport(
        job,
        rejection('not-configured', `Expected a declared tool but there is none named ${JSON.stringify(name)}. Declared are: ${this.ports.registry.names.join(', ') || 'none'}.`),
        'none',
      );
    const problem = entry.inputProblem(given);
    if (problem !== undefined) return failureReport(job, rejection('input-invalid', `Expected arguments of tool ${name} that match its schema but ${problem}.`), 'none');
    if (entry.kind === 'static') return completion(job, entry.answerText, undefined, NO_TAINT);
    return this.#act(job, entry.work(job, given));
  }

  #denial(job: Job, tool: string): Failure | undefined {
    return this.ports.authorise({ tenant: job.context?.tenant ?? '', workflow: job.workflow, kind: job.kind, tool });
  }

  /** Everything that leaves this process for a tool or an endpoint, whatever its transport. */
  #act(job: Job, made: WorkMaking): Carried {
    if (!made.ok) return failureReport(job, made.failure, 'none');
    const timeoutMs = Math.min(made.work.timeoutMs, leftMs(job));
    const work: Work = { ...made.work, timeoutMs: Math.max(0, timeoutMs) };
    // What is in the ledger already is answered from it, however late.
    if (work.effect === 'read' && timeoutMs <= 0) return failureReport(job, rejection('timeout', 'Expected to send before the deadline of the execution but it has passed.'), 'none');
    return this.#join(job, () =>
      this.#traced(job, SPAN.toolCall, { [ATTRIBUTE.tool]: work.name, ...work.attributes }, (traceparent) =>
        work.effect === 'read' ? carryOutRead(this.ports.gate, work, traceparent) : carryOutEffect(this.ports, work, traceparent),
      ),
    );
  }

  /** Runs what asks the outside in a span of its own, when its trace is recorded. */
  #traced(job: Job, span: string, attributes: Record<string, string>, run: (traceparent: string) => Promise<Command | undefined>): Promise<Command | undefined> {
    const { context } = job;
    if (!context || !isSampled(context.traceparent)) return run(context?.traceparent ?? '');
    return inSpan(tracerFor('tools'), span, { kind: 'client', context, attributes: { ...attributes, [ATTRIBUTE.task]: job.pointer } }, (inside) => run(inside.traceparent));
  }

  #join(job: Job, run: () => Promise<Command | undefined>): Promise<Command | undefined> {
    // A settlement changes what the ledger knows: it does not wait for who is still asking.
    const key = job.settlement ? `${job.idempotencyKey} settled` : job.idempotencyKey;
    const known = this.#underWay.get(key);
    if (known) return known;
    const started = run()
      .catch((error: unknown) => this.#unexpected(job, error))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  /** A fault that passes means later; anything else would be met again. Whoever changes something reports its own errors: here nothing was changed. */
  #unexpected(job: Job, error: unknown): Command | undefined {
    if (isForLater(error)) {
      this.ports.log.warn('a job is left for later', { context: job.context, error });
      return undefined;
    }
    this.ports.log.error('a job met an error', { context: job.context, error });
    return failureReport(job, INTERNAL_ERROR, 'none');
  }
}

/** What makes a job unfit to be carried out at all. The key begins with the tenant: the ledger keeps tenants apart by it. */
function problemOf(job: Job): string | undefined {
  const tenant = job.context?.tenant;
  if (!tenant) return 'it names no tenant';
  if (!isUuid(job.executionId)) return 'its execution id is no UUID';
  if (!job.idempotencyKey.startsWith(`${tenant}/`)) return 'its idempotency key is not one of its tenant';
  if (job.idempotencyKey.includes('\u0000')) return 'its idempotency key contains a NUL character';
  return undefined;
}
