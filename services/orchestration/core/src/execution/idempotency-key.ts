import type { ExecutionState, OutstandingJob } from './execution.state.js';

/**
 * What makes a repeated effect the same effect: tenant, job and generation, never the attempt. Its receiver and the ledger know
 * the effect by it for ever. Source: docs/adr/0007.
 */
export const idempotencyKeyOf = (state: Pick<ExecutionState, 'context'>, job: Pick<OutstandingJob, 'id' | 'generation'>): string => `${state.context.tenant}/${job.id}/${job.generation}`;
