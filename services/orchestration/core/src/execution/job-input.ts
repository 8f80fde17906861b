// What a job is about beyond its activation: derived from the state, so that dispatching again sends the very same.
import type { Json } from '@weft/kernel';
import { remainingOf, speakerOf, type Remaining } from '../agent/agent-authority.js';
import { stepInput } from '../agent/agent-transcript.js';
import { batchInput } from '../subscription/subscribing.js';
import type { ExecutionState, OutstandingJob } from './execution.state.js';

/** What the worker is given. */
export function inputOf(state: ExecutionState, job: OutstandingJob): Json {
  const { step, subscribing } = state.activations[job.key] ?? {};
  return step ? stepInput(state, step) : subscribing ? batchInput(subscribing, job.scheduledAt) : job.input;
}

/** On whose behalf a job is done, and what it may do at most. */
export interface JobAuthority {
  readonly agent: string;
  /** Names of tools, and beginnings of names with `*`. */
  readonly tools: readonly string[];
  readonly left: Remaining;
}

/** Undefined: the workflow itself acts. */
export function authorityOf(state: ExecutionState, job: OutstandingJob): JobAuthority | undefined {
  const step = state.activations[job.key]?.step;
  if (!step || !state.agents?.[step.agent]) return undefined;
  const { name, tools } = speakerOf(state, step.agent);
  return { agent: name, tools, left: remainingOf(state, step.agent) };
}
