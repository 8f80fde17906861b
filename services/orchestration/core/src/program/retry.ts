import { objectOf, type JsonObject } from '@weft/kernel';
import { compileDuration, type DurationMs } from './duration.js';
import { bareExpression, type Evaluate } from './expression.js';

/** Retries where a policy limits their number by nothing, unless the server says otherwise. */
export const RETRIES_WITHOUT_LIMIT = 100;

/** When and how often a `try` is tried again. Source: dsl-reference.md#retry; docs/workflow-profile.md, rule 8. */
export interface RetryClause {
  readonly when?: Evaluate;
  readonly exceptWhen?: Evaluate;
  /** Retries after the first try. */
  readonly retriesMax: number;
  readonly backoff: 'constant' | 'linear' | 'exponential';
  readonly delay?: DurationMs;
  readonly jitter?: { readonly from: DurationMs; readonly to: DurationMs };
  /** How long each attempt may take, the first one too. */
  readonly attemptLimit?: DurationMs;
  /** From the beginning of the `try` on: no retry begins later. */
  readonly limit?: DurationMs;
}

/** @param names variables of the policy, the error among them. @param outside those that exist before anything failed. @param retriesWithoutLimit where the policy has no `limit.attempt.count`. */
export function compileRetry(policy: JsonObject, names: readonly string[], outside: readonly string[], retriesWithoutLimit = RETRIES_WITHOUT_LIMIT): RetryClause {
  const { delay, when, exceptWhen } = policy;
  const [backoff, limit, jitter] = [objectOf(policy['backoff']), objectOf(policy['limit']), policy['jitter']];
  const { count, duration: attemptLimit } = objectOf(limit['attempt']);
  return {
    retriesMax: typeof count === 'number' ? count : retriesWithoutLimit,
    backoff: backoff['exponential'] !== undefined ? 'exponential' : backoff['linear'] !== undefined ? 'linear' : 'constant',
    ...(delay === undefined ? {} : { delay: compileDuration(delay, names) }),
    ...(jitter === undefined ? {} : { jitter: { from: compileDuration(objectOf(jitter)['from']!, names), to: compileDuration(objectOf(jitter)['to']!, names) } }),
    ...(attemptLimit === undefined ? {} : { attemptLimit: compileDuration(attemptLimit, outside) }),
    ...(limit['duration'] === undefined ? {} : { limit: compileDuration(limit['duration'], outside) }),
    ...(when === undefined ? {} : { when: bareExpression(when as string, names) }),
    ...(exceptWhen === undefined ? {} : { exceptWhen: bareExpression(exceptWhen as string, names) }),
  };
}
