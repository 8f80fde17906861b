// Who is asked next, and when, after candidates have failed. Nobody waits while another candidate may answer: only when each has had its turn is one asked again.
import type { ModelProblem } from './model-problem.js';

/** Times that one candidate is asked in one job at most. */
export const ROUNDS_MAX = 3;
/** Longest wait inside a job, milliseconds: longer ones are the workflow's to take. */
export const WAIT_MAX_MS = 2_000;

const BACKOFF_FIRST_MS = 200;

/** Whether asking the same candidate again may help. */
export function mayPass(problem: ModelProblem): boolean {
  switch (problem.kind) {
    case 'status':
      return problem.status === 408 || problem.status === 409 || problem.status === 425 || problem.status === 429 || problem.status >= 500;
    case 'unreachable':
    case 'passedOver':
    case 'broken':
      return true;
    // It took all its time, or tokens: whether that is worth once more is for the workflow to say.
    case 'timeout':
    case 'notJson':
    case 'schema':
    case 'notConfigured':
    // What is reserved may come back, but not so soon that a job should wait for it.
    case 'overBudget':
      return false;
  }
}

/** Whether the provider failed, and not the request or what the model said: what its breaker counts. */
export const isProvidersFault = (problem: ModelProblem): boolean =>
  problem.kind === 'unreachable' || problem.kind === 'timeout' || problem.kind === 'broken' || (problem.kind === 'status' && (problem.status >= 500 || problem.status === 408));

export interface FailedCandidate {
  readonly index: number;
  readonly problem: ModelProblem;
  /** When it failed, milliseconds. */
  readonly at: number;
}

/**
 * The next round after all candidates of one have failed: who is asked again and after which wait, or undefined when it is better to give up.
 * @param round of the one that has failed, from 1. @param jitter from 0 to below 1, the same for the same job and round.
 */
export function nextRound(failed: readonly FailedCandidate[], round: number, now: number, jitter: number): { readonly indexes: readonly number[]; readonly waitMs: number } | undefined {
  if (round >= ROUNDS_MAX) return undefined;
  const backoffMs = BACKOFF_FIRST_MS * 2 ** (round - 1) * (0.5 + jitter);
  const again = failed
    .filter(({ problem }) => mayPass(problem))
    .map(({ index, problem, at }) => ({ index, waitMs: Math.max(at + backoffMs, at + ('retryAfterMs' in problem ? (problem.retryAfterMs ?? 0) : 0)) - now }))
    .filter(({ waitMs }) => waitMs <= WAIT_MAX_MS);
  if (again.length === 0) return undefined;
  const waitMs = Math.max(0, Math.min(...again.map((one) => one.waitMs)));
  return { indexes: again.filter((one) => one.waitMs <= waitMs + backoffMs).map(({ index }) => index), waitMs };
}

/** A number from 0 to below 1 out of texts: the same texts give the same number. Source: FNV-1a. */
export function jitterOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  // Its last characters would else move the lower bits alone.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
