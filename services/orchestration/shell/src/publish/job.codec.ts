// An outstanding job as it travels. Derived from the state: dispatching again sends the very same job.
import { contextOf, type Approval, type Attenuation, type Context, type Job } from '@weft/contracts';
import { authorityOf, idempotencyKeyOf, inputOf, isLong, type ExecutionFacts, type ExecutionState, type JobAuthority, type OutstandingJob } from '@weft/orchestration/core';

/** The context that a message about an execution carries. */
export function contextOfExecution(state: ExecutionFacts, more: Partial<Context> = {}): Context {
  const { tenant, actor, purpose, traceparent, tracestate, deadlineMs, budget } = state.context;
  return contextOf({ tenant, actor, purpose, traceparent, tracestate, deadlineMs, executionId: state.executionId, taint: [...state.taint], ...(budget ? { budget: { ...budget } } : {}), ...more });
}

export function jobMessage(state: ExecutionState, job: OutstandingJob): Job {
  const { pointer = '', iteration = '' } = state.activations[job.key] ?? {};
  const authority = authorityOf(state, job);
  const { namespace, name, version } = state.definition;
  return {
    id: job.id,
    executionId: state.executionId,
    context: contextOfExecution(state, { jobId: job.id, attempt: job.attempt }),
    kind: job.kind,
    generation: job.generation,
    idempotencyKey: idempotencyKeyOf(state, job),
    pointer,
    iteration,
    inputJson: JSON.stringify(inputOf(state, job)),
    models: isLong(job) ? state.models.map((model) => ({ ...model })) : [],
    settlement: job.settlement ? { happened: job.settlement.happened, outputJson: JSON.stringify(job.settlement.output), decidedBy: job.settlement.decidedBy } : undefined,
    workflow: `${namespace}/${name}:${version}`,
    approvals: approvalsOf(state, job),
    agent: authority?.agent ?? '',
    ...(authority ? { attenuation: attenuationOf(authority) } : {}),
  };
}

/** What people have approved of this very job. */
function approvalsOf({ approvals }: ExecutionState, { id }: OutstandingJob): Approval[] {
  return Object.values(approvals)
    .filter(({ job }) => job === id)
    .map(({ review, digest, decidedBy, decidedAt, expires }) => ({ reviewId: review, digest, decidedBy: [...decidedBy], decidedAtMs: decidedAt, expiresAtMs: expires }));
}

// The wire has no word for what is not limited: no limit is reached there.
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** A call was counted when it began: what is left includes it. */
function attenuationOf({ tools, left }: JobAuthority): Attenuation {
  return { tools: [...tools], budget: { moneyMicros: left.moneyMicros ?? UNLIMITED, tokens: left.tokens ?? UNLIMITED, calls: left.calls + 1 } };
}
