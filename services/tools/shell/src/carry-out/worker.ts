// Carries out jobs: authorise, check, do, report. The path of static tools is synchronous.
import type { Approval, Command, CommandBatch, Context, Job, JobBatch, WorkerPeer } from '@weft/contracts';
import { isJsonObject, isUuid, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { tracerFor } from '@weft/nest-platform';
import { ATTRIBUTE, GEN_AI, inSpan, isSampled, SPAN } from '@weft/telemetry';
import { completion, failureReport, ownLabels, priced, type Target } from '@weft/tools/core';
import type { CallMaker, CallMakers, CallMaking } from '../call/call-making.js';
import { keptToItself, openedArguments } from '../call/job-secrets.js';
import { deferredArguments, type DeferredArguments } from '../secret/deferred-arguments.js';
import type { Registry } from '../registry/registry.js';
import type { ToolFacts } from '../registry/tool-entry.js';
import { callDrawing, drawsNothing, sentWhileHeld, withinBudgets, type BudgetPorts } from './budget-step.js';
import { carryOutEffect, type EffectPorts } from './carry-out-effect.js';
import { carryOutInfer, leftMs, type InferPorts } from './carry-out-infer.js';
import { carryOutRead } from './carry-out-read.js';
import { commandBatches, type Carried } from './command-stream.js';
import { INTERNAL_ERROR, isForLater } from './internal-error.js';
import { requestOf, secretRefusal, stoppableOf, whenPermitted, type PermissionPorts } from './permission-step.js';
import type { Work, WorkMaking } from './work.js';

export interface WorkerPorts extends InferPorts, EffectPorts, PermissionPorts, BudgetPorts {
  readonly registry: Registry;
  /** Calls and runs of the standard, by kind of job. */
  readonly calls: CallMakers;
}

/** What is judged of a tool that there is not. */
const NO_TOOL = { pin: '', effect: 'read', data: 'public', source: '' } as const;
const OWN_KINDS: ReadonlySet<string> = new Set(['tool', 'infer', 'embed']);
const NO_MODEL = { id: '', model: '', endpoint: '' } as const;

const factsOf = ({ name, pin, effect, data, source }: ToolFacts) => ({ name, pin, effect, data, source });
const argumentsInvalid = (name: string, problem: string): Failure => rejection('input-invalid', `Expected arguments of tool ${name} that match its schema but ${problem}.`);

export class ToolsWorker implements WorkerPeer {
  /** Jobs under way, by idempotency key: a duplicate joins. */
  readonly #underWay = new Map<string, Promise<Command | undefined>>();
  /** Streams of results that whoever called has not read to their end. */
  readonly #streams = new Set<Promise<void>>();
  #isDraining = false;

  /** Jobs that a kill switch can end, each looking for itself. */
  readonly #looks = new Set<() => void>();

  constructor(private readonly ports: WorkerPorts) {
    ports.permissions.onSwitch(() => this.#looks.forEach((look) => look()));
  }

  /** Whether jobs of a kind are the business of tools. */
  carriesOut(kind: string): boolean {
    return OWN_KINDS.has(kind) || this.ports.calls.has(kind);
  }

  /** Results stream back as they come. A job that comes to nothing (the process is going, the store is away) is left out: it is dispatched again. */
  carryOut({ jobs }: JobBatch, _context: Context): AsyncIterable<CommandBatch> {
    return this.#watched(commandBatches(jobs.map((job) => this.carry(job))));
  }

  /** One job. Synchronous when nothing outside has to be asked. */
  carry(job: Job): Carried {
    if (this.#isDraining) return undefined;
    return this.ports.permissions.isFresh ? this.#tried(job) : this.#freshened(job);
  }

  /** Begins no more jobs; resolves when everything under way has come to something and whoever called has taken it. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#underWay.size + this.#streams.size > 0) await Promise.allSettled([...this.#underWay.values(), ...this.#streams]);
  }

  #tried(job: Job): Carried {
    try {
      const carried = this.#begin(job);
      return carried instanceof Promise ? carried.catch((error: unknown) => this.#unexpected(job, error)) : carried;
    } catch (error) {
      return this.#unexpected(job, error);
    }
  }

  /** What is off was not read for a while: it is read before anything is done. */
  async #freshened(job: Job): Promise<Command | undefined> {
    try {
      await this.ports.permissions.fresh();
    } catch (error) {
      return this.#unexpected(job, error);
    }
    return this.#isDraining ? undefined : this.#tried(job);
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
      case 'infer':
      case 'embed':
        return this.#infer(job, args);
      default: {
        const make = this.ports.calls.get(job.kind);
        if (make) return this.#call(job, args, make);
        const kinds = [...OWN_KINDS, ...this.ports.calls.keys()];
        return failureReport(job, rejection('not-configured', `Expected a job of kind ${kinds.join(', ')} but got ${JSON.stringify(job.kind)}.`), 'none');
      }
    }
  }

  #tool(job: Job, args: Json): Carried {
    const name = isJsonObject(args) ? args['name'] : undefined;
    const given = isJsonObject(args) ? (args['arguments'] ?? {}) : undefined;
    if (typeof name !== 'string' || given === undefined) return failureReport(job, rejection('input-invalid', 'Expected {name: NAME, arguments: {...}} but the field `name` is no text.'), 'none');
    const found = this.ports.registry.find(name);
    const entry = found?.kind === 'closed' ? undefined : found;
    // Authority comes first: whether a tool exists, and what it takes, is nobody's business who may not use it.
    const request = requestOf(job, entry ? { action: 'call', ...factsOf(entry) } : { action: 'call', name, ...NO_TOOL }, given, this.ports.ledger.now());
    const problem = entry ? entry.inputProblem(given) : '';
    if (!entry || problem !== undefined) {
      const permitted = this.ports.permissions.permit({ request, attenuation: job.attenuation, approvals: [] });
      return failureReport(
        job,
        permitted.kind === 'deny' ? permitted.failure : entry ? argumentsInvalid(name, problem ?? '') : found?.kind === 'closed' ? found.failure : this.#unknownTool(name),
        'none',
      );
    }
    return whenPermitted(this.ports, job, request, (barred, permit) => {
      const labels = ownLabels(request.on);
      if (entry.kind === 'static') {
        const answer = (): Command => priced(completion(job, entry.answerText, undefined, labels), entry.costMicros)!;
        const drawing = callDrawing(name, entry.costMicros, false, 0);
        return drawsNothing(this.ports, job, drawing) ? answer() : this.#join(job, async () => withinBudgets(this.ports, job, drawing, answer));
      }
      const made = entry.work(job, given);
      return this.#act(job, made.ok ? { ok: true, work: { ...made.work, permit, taint: [...made.work.taint, ...labels] } } : made, barred, entry.costMicros);
    });
  }

  #unknownTool(name: string): Failure {
    return rejection('not-configured', `Expected a declared tool but there is none named ${JSON.stringify(name)}. Declared are: ${this.ports.registry.names.join(', ') || 'none'}.`);
  }

  #call(job: Job, args: Json, make: CallMaker): Carried {
    const given = deferredArguments(args);
    const refused = secretRefusal(this.ports, job, given);
    if (!refused || job.settlement) return this.#opened(job, given, make);
    // To be made ready may mean to fetch a document, from an address that a secret is part of. What was sent before is told by the ledger all the same.
    return this.ports.ledger.look(job.idempotencyKey).then((state) => (state.status === 'none' ? failureReport(job, refused.failure, 'none') : this.#opened(job, given, make)));
  }

  #opened(job: Job, given: DeferredArguments, make: CallMaker): Carried {
    const opened = openedArguments(given, this.ports.secrets);
    if (!opened.ok) return failureReport(job, opened.failure, 'none');
    const { kept } = opened;
    const made = make(job, opened.args, kept);
    return made instanceof Promise ? made.then((one) => this.#permitted(job, given, keptToItself(one, given, kept))) : this.#permitted(job, given, keptToItself(made, given, kept));
  }

  #permitted(job: Job, given: DeferredArguments, { on, made }: CallMaking): Carried {
    const request = requestOf(job, on, given.shown, this.ports.ledger.now());
    const act = (barred: Failure | undefined, permit: JsonObject): Carried => this.#act(job, made.ok ? { ok: true, work: { ...made.work, permit } } : made, barred);
    return whenPermitted(this.ports, job, request, act, () => secretRefusal(this.ports, job, given));
  }

  #infer(job: Job, args: Json, approvals: readonly Approval[] = job.approvals): Carried {
    // Each candidate is a resource of its own; without any, the right to ask models at all is what is judged.
    const permits = (job.models.length === 0 ? [NO_MODEL] : job.models).map((candidate) => {
      const on: Target = { action: 'infer', id: candidate.id, model: candidate.model, endpoint: candidate.endpoint };
      return { candidate, permitted: this.ports.permissions.permit({ request: requestOf(job, on, args, this.ports.ledger.now()), attenuation: job.attenuation, approvals }) };
    });
    const used = permits.flatMap(({ permitted }) => (permitted.kind === 'approved' ? [permitted.approval] : []));
    if (used.length > 0 && approvals === job.approvals) return this.#inferApproved(job, args, used);
    const refused = permits.flatMap(({ candidate, permitted }) => (permitted.kind === 'deny' || permitted.kind === 'ask' ? [{ candidate, permitted }] : []));
    const [first] = refused;
    if (first && refused.length === permits.length)
      return failureReport(job, first.permitted.failure, 'none', first.permitted.kind === 'ask' ? { approvalRequest: first.permitted.approvalRequest } : {});
    const denied = refused.map(({ candidate, permitted }) => ({ candidate: candidate.id, reason: permitted.failure.message }));
    const models = job.models.filter((candidate) => !refused.some((each) => each.candidate === candidate));
    return this.#join(job, () =>
      this.#traced(job, SPAN.infer, { [GEN_AI.operation]: job.kind === 'embed' ? 'embeddings' : 'chat', [GEN_AI.requestModel]: models[0]?.model ?? '' }, () =>
        this.#stoppable(
          job,
          models.map(({ id }) => id),
          (signal) => carryOutInfer(this.ports, { ...job, models }, args, { denied, signal }),
        ),
      ),
    );
  }

  /** Takes the words of people first; without those that were used for something else it is judged anew. */
  async #inferApproved(job: Job, args: Json, used: readonly Approval[]): Promise<Command | undefined> {
    const taken = await Promise.all(used.map(async (approval) => ((await this.ports.takeApproval(job.context?.tenant ?? '', approval, job.idempotencyKey)) ? [approval] : [])));
    return this.#infer(job, args, taken.flat());
  }

  /** Everything that leaves this process for a tool or an endpoint, whatever its transport. */
  #act(job: Job, made: WorkMaking, barred: Failure | undefined, costMicros = 0): Carried {
    if (!made.ok) return failureReport(job, made.failure, 'none');
    const timeoutMs = Math.min(made.work.timeoutMs, leftMs(job));
    const work: Work = { ...made.work, timeoutMs: Math.max(0, timeoutMs), ...(barred ? { barred } : {}) };
    // What is in the ledger already is answered from it, however late.
    if (work.effect === 'read' && timeoutMs <= 0) return failureReport(job, rejection('timeout', 'Expected to send before the deadline of the execution but it has passed.'), 'none');
    const send = (held: Work): Promise<Command | undefined> =>
      this.#traced(job, SPAN.toolCall, { [ATTRIBUTE.tool]: work.name, ...work.attributes }, (traceparent) =>
        held.effect === 'read' ? this.#stoppable(job, [held.name], (signal) => carryOutRead(this.ports.gate, held, traceparent, signal)) : carryOutEffect(this.ports, held, traceparent),
      );
    // What is barred sends nothing, so it costs nothing.
    if (barred) return this.#join(job, () => send(work));
    const drawing = callDrawing(work.name, costMicros, work.effect !== 'read', work.timeoutMs);
    return this.#join(job, async () => priced(await withinBudgets(this.ports, job, drawing, (holding) => send(sentWhileHeld(work, holding))), costMicros));
  }

  /** Runs what changes nothing; a kill switch on any of its targets ends it at once. */
  async #stoppable(job: Job, targets: readonly string[], run: (signal: AbortSignal) => Promise<Command | undefined>): Promise<Command | undefined> {
    const { promise, resolve } = Promise.withResolvers<Command>();
    const abort = new AbortController();
    const look = (): void => {
      const stopped = targets.map((target) => this.ports.permissions.stopped(stoppableOf(job, target))).find((failure) => failure !== undefined);
      if (stopped === undefined) return;
      abort.abort();
      resolve(failureReport(job, stopped, 'none'));
    };
    this.#looks.add(look);
    try {
      // Since it was permitted time may have passed, for a budget or for an approval.
      look();
      if (abort.signal.aborted) return await promise;
      return await Promise.race([run(abort.signal), promise]);
    } finally {
      this.#looks.delete(look);
    }
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
