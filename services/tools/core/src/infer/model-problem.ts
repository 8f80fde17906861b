// Why a candidate gave no usable answer, and what is left when none did.
import { rejection, type Failure, type Json } from '@weft/kernel';
import type { ModelUsage } from './model-usage.js';
import type { WithheldTool } from './tool-offer.js';

export type ModelProblem =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs?: number; readonly message: string }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'unreachable'; readonly message: string }
  /** The provider's answer is no answer of its protocol, or the model's text is no JSON where a schema wants it. */
  | { readonly kind: 'notJson'; readonly message: string }
  | { readonly kind: 'schema'; readonly message: string }
  | { readonly kind: 'notConfigured'; readonly message: string }
  /** Not asked: it has failed too often lately, or what it may be asked is used up. */
  | { readonly kind: 'passedOver'; readonly message: string; readonly retryAfterMs: number }
  /** Not asked: a budget has no room for it. */
  | { readonly kind: 'overBudget'; readonly failure: Failure }
  /** A part of the answer came, and then no more that can be used. */
  | { readonly kind: 'broken'; readonly message: string };

/** A candidate that was tried and did not answer, or was passed over. */
export interface RejectedCandidate {
  readonly candidate: string;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** One call of a candidate, as it is remembered. */
export interface ModelAttempt {
  readonly candidate: string;
  /** From 1, over all candidates. */
  readonly attempt: number;
  /** answered: its answer is the job's; cancelled: another one was first. */
  readonly outcome: 'answered' | 'failed' | 'cancelled';
  readonly ms: number;
  readonly reason?: string;
  /** Why it was started beside another one. */
  readonly hedge?: string;
  /** What it has used, answer or not; absent where nothing was sent. */
  readonly usage?: ModelUsage & { readonly doubt?: string };
}

/** What an answer rests on: which model gave it, at what cost, and who was tried before. */
export interface InferEvidence {
  readonly candidate: string;
  readonly model: string;
  /** Digest of its entry in the catalogue; empty where there was none. */
  readonly catalogue: string;
  /** Why routing put it where it stands. */
  readonly chosen: string;
  /** Host of the endpoint, port included. */
  readonly endpoint: string;
  /** The answer comes from the scripted server and not from a model. */
  readonly simulated: boolean;
  /** Of the answer alone. */
  readonly usage: ModelUsage & { readonly doubt?: string };
  /** Of all calls together, those without an answer included: what the job is billed. */
  readonly spent: ModelUsage;
  /** Calls that failed and candidates that were passed over, in order. */
  readonly rejected: readonly RejectedCandidate[];
  readonly attempts: readonly ModelAttempt[];
  /** Candidates that were not needed. */
  readonly untried: readonly string[];
  readonly tools?: { readonly offered: readonly string[]; readonly withheld: readonly WithheldTool[] };
  /** How the stream went, where there was one. */
  readonly stream?: { readonly onFailure: string; readonly restarts: number; readonly continuations: number };
}

/** The candidate's record. */
export function rejectedCandidate(candidate: string, problem: ModelProblem): RejectedCandidate {
  const wait = 'retryAfterMs' in problem ? problem.retryAfterMs : undefined;
  return { candidate, reason: reasonOf(problem), ...(wait === undefined ? {} : { retryAfterMs: wait }) };
}

function reasonOf(problem: ModelProblem): string {
  switch (problem.kind) {
    case 'status':
      return `HTTP ${problem.status}${problem.retryAfterMs === undefined ? '' : `, come again in ${problem.retryAfterMs} ms`}: ${problem.message}`;
    case 'timeout':
      return `no answer within ${problem.afterMs} ms`;
    case 'unreachable':
      return `not reachable: ${problem.message}`;
    case 'notJson':
      return `no JSON: ${problem.message}`;
    case 'schema':
      return `the answer misses the schema: ${problem.message}`;
    case 'notConfigured':
      return `not configured: ${problem.message}`;
    case 'passedOver':
      return `not asked: ${problem.message}`;
    case 'overBudget':
      return `not asked: ${problem.failure.message}`;
    case 'broken':
      return `the answer broke off: ${problem.message}`;
  }
}

/** The failure when every candidate was rejected: retryable, after the shortest wait that a provider asked for. */
export function modelUnavailable(rejected: readonly RejectedCandidate[]): Failure {
  const waits = rejected.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  const tried = rejected.map(({ candidate, reason }) => `${candidate} (${reason})`).join('; ');
  return rejection('model-unavailable', `Expected an answer from one of ${rejected.length} model candidates but got none${tried === '' ? '' : `: ${tried}`}.`, {
    retryable: true,
    ...(waits.length > 0 ? { retryAfterMs: Math.min(...waits) } : {}),
    details: { rejected: rejected as unknown as Json },
  });
}

/** The JSON in a model's text: the whole text, or the one fenced block that models like to put it in. */
export function jsonInText(text: string): { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly problem: ModelProblem } {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text)?.[1] ?? text;
  try {
    return { ok: true, value: JSON.parse(fenced) as Json };
  } catch (error) {
    return { ok: false, problem: { kind: 'notJson', message: error instanceof Error ? error.message : 'it does not parse' } };
  }
}
