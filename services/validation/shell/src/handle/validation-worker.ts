// Carries out `validate` jobs: judges each, records the verdicts of a batch in one statement.
import type { Command, CommandBatch, Job, JobBatch, WorkerPeer } from '@weft/contracts';
import { isJsonObject, isUuid, rejection, type Failure, type Json } from '@weft/kernel';
import { tracerFor } from '@weft/nest-platform';
import { Fault, type Clock } from '@weft/pipeline';
import { ATTRIBUTE, isSampled, openSpan, SPAN } from '@weft/telemetry';
import { judge, verdictJson, type Verdict } from '@weft/validation/core';
import { setImmediate as turn } from 'node:timers/promises';
import { nameOf, type NewVerdict, type VerdictStore } from '../persist/verdict.store.js';
import type { SchemaChecks } from '../schema/schema-checks.js';
import { completed, failed } from './job-result.js';

interface Judged {
  readonly job: Job;
  readonly what: NewVerdict;
}

type Judgement = { readonly ok: true; readonly verdict: Verdict } | { readonly ok: false; readonly failure: Failure };

const POLICY_CHARACTERS_MAX = 200;
// A commit row has to fit into a leaf of the audit log (65,535 bytes): ids are its bulk, each with the digits around it.
const MEMBER_CHARACTERS_MAX = 40_000;
// The main thread is shared: others get their turn after this time.
const TURN_MS = 5;

export class ValidationWorker implements WorkerPeer {
  constructor(
    private readonly store: VerdictStore,
    private readonly checks: SchemaChecks,
    private readonly clock: Clock,
  ) {}

  /**
   * Carries out a batch. Jobs whose arguments or schema cannot be used fail with `input-invalid`; a value that does not satisfy its
   * schema is a verdict, not a failure.
   * @throws Fault when the store did not answer: what was not reported is dispatched again, and judging again is safe.
   */
  async *carryOut({ jobs }: JobBatch): AsyncGenerator<CommandBatch, void, undefined> {
    const startedAt = this.clock.now();
    const results: Command[] = [];
    const judged: Judged[] = [];
    let turnAt = performance.now();
    for (const job of jobs) {
      if (performance.now() - turnAt > TURN_MS) {
        await turn();
        turnAt = performance.now();
      }
      const judgement = this.#judge(job);
      if (judgement.ok) judged.push({ job, what: newVerdict(job, judgement.verdict) });
      else results.push(failed(job, judgement.failure));
    }
    if (results.length > 0) yield { commands: results };
    if (judged.length === 0) return;
    const commands = await this.#recordAll(judged);
    traceJobs(judged, startedAt);
    yield { commands };
  }

  #judge(job: Job): Judgement {
    if (job.kind !== 'validate') return invalid(`Expected a job of kind validate but got ${JSON.stringify(job.kind)}.`);
    if (!job.context || job.context.tenant === '') return invalid('Expected a job of a tenant but it names none.');
    let given: Json;
    try {
      given = JSON.parse(job.inputJson) as Json;
    } catch {
      return invalid('Expected the arguments of validate as JSON but they are not.');
    }
    const { value, schema, policy = '' } = isJsonObject(given) ? given : {};
    if (value === undefined || schema === undefined) return invalid('Expected `value` and `schema` of validate but one is missing.');
    if (typeof policy !== 'string' || policy.length > POLICY_CHARACTERS_MAX || policy.includes('\u0000')) return invalid(`Expected \`policy\` of validate to be a text of at most ${POLICY_CHARACTERS_MAX} characters without NUL but got ${JSON.stringify(policy).slice(0, 80)}.`);
    const compiled = this.checks.checkFor(schema);
    if (!compiled.ok) return { ok: false, failure: compiled.rejection };
    // Arguments are value and schema together: their size bounds the value's.
    const found = compiled.check.find(value, job.inputJson.length);
    return found.ok ? { ok: true, verdict: judge(found.findings, compiled.check.digest, policy) } : { ok: false, failure: found.rejection };
  }

  /** All at once; when the store refuses something among them for good, each by itself, so that the culprit fails alone. */
  async #recordAll(judged: readonly Judged[]): Promise<Command[]> {
    try {
      await this.#record(judged);
      return judged.map(({ job, what: { verdict } }) => completed(job, verdictJson(verdict), { verdict: verdict.verdict, schemaDigest: verdict.schemaDigest, policy: verdict.policy }));
    } catch (fault) {
      if (!(fault instanceof Fault) || fault.retryable) throw fault;
      if (judged.length === 1) return [failed(judged[0]!.job, rejection('input-invalid', `Expected a verdict that can be recorded but ${fault.message}.`))];
      return (await Promise.all(judged.map((one) => this.#recordAll([one])))).flat();
    }
  }

  async #record(judged: readonly Judged[]): Promise<void> {
    // A job may stand in a batch twice; one statement takes each id once.
    const verdicts = [...new Map(judged.map(({ what }) => [nameOf(what), what])).values()];
    const traceparents = judged.flatMap(({ job }) => (job.context && isSampled(job.context.traceparent) ? [job.context.traceparent] : []));
    for (let from = 0; from < verdicts.length; ) {
      let to = from;
      for (let characters = 0; to < verdicts.length && (to === from || characters + verdicts[to]!.id.length < MEMBER_CHARACTERS_MAX); to++) characters += verdicts[to]!.id.length + 8;
      await this.store.record(verdicts.slice(from, to), this.clock.now(), traceparents);
      from = to;
    }
  }
}

const invalid = (message: string): Judgement => ({ ok: false, failure: rejection('input-invalid', message) });

function newVerdict(job: Job, verdict: Verdict): NewVerdict {
  return { tenant: job.context?.tenant ?? '', id: job.idempotencyKey, executionId: isUuid(job.executionId) ? job.executionId : '', pointer: job.pointer, workflow: job.workflow, verdict };
}

/** One span a job, for recorded traces only: the others cost nothing here. */
function traceJobs(judged: readonly Judged[], startAt: number): void {
  const tracer = tracerFor('validation');
  if (!tracer) return;
  for (const { job, what } of judged) {
    if (job.context && isSampled(job.context.traceparent)) openSpan(tracer, SPAN.validate, { context: job.context, startAt, attributes: { [ATTRIBUTE.verdict]: what.verdict.verdict } }).end();
  }
}
