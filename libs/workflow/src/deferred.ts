// Expressions that wait for the worker: what they need is known only where the job is carried out, and recorded nowhere.

/** Variables that make an expression wait: the workflow's secrets, and the credentials that its task resolved. */
export const DEFERRED_VARIABLES = ['secrets', 'authorization'] as const;

const DEFERRED = /\$(?:secrets|authorization)\b/;
// `$secrets.name` and `$secrets["name"]`; the name must stand there, so that it is known which secrets a job uses.
const SECRET = /\$secrets\b(?:\s*\.\s*([A-Za-z_]\w*)|\s*\.?\s*\[?\s*"([^"\\]+)"\s*\]?)?/g;

/** Whether a jq expression names a variable that only the worker knows. */
export const isDeferred = (expression: string): boolean => DEFERRED.test(expression);

/** Names of the secrets that a jq expression uses; undefined stands for a use of `$secrets` that does not say which one. */
export function secretsUsedBy(expression: string): readonly (string | undefined)[] {
  return [...new Set([...expression.matchAll(SECRET)].map(([, plain, quoted]) => plain ?? quoted))];
}

/** Field of a job's arguments that holds its deferred expressions by JSON Pointer. It lies beside the standard's fields, where no data of an execution comes. */
export const DEFERRED_FIELD = 'weft:deferred';

/** One deferred expression, with all that it is evaluated on except what the worker alone knows. */
export interface DeferredExpression {
  /** Bare jq. */
  readonly expression: string;
  /** Names of the secrets that it uses. */
  readonly secrets: readonly string[];
}
