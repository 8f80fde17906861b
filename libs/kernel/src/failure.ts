import type { Json } from './json.js';

/**
 * A command that was refused, as a value: expected, answered to the caller and counted.
 * `code` names a page in docs/errors; `message` reads "Expected ... but ...".
 * `retryAfterMs` is how long the caller should wait, in milliseconds, when it makes sense to ask again.
 */
export interface Rejection {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** What was wrong where: JSON pointers, names, expected and actual values. */
  readonly details?: { readonly [key: string]: Json };
}

/** The bad outcome of one attempt of a job, as a value. The same shape as a rejection; the meaning differs (glossary). */
export type Failure = Rejection;

/** Builds a rejection or failure. `retryable` defaults to false. */
export function rejection(code: string, message: string, more: Partial<Omit<Rejection, 'code' | 'message'>> = {}): Rejection {
  return { code, message, retryable: false, ...more };
}

/** A refusal on its way through code that answers by throwing (controllers, clients). The platform maps it to a status. */
export class Refused extends Error {
  constructor(readonly rejection: Rejection) {
    super(rejection.message);
    this.name = 'Refused';
  }
}

/** Throws a `Refused` with the rejection. */
export function refuse(code: string, message: string, more: Partial<Omit<Rejection, 'code' | 'message'>> = {}): never {
  throw new Refused(rejection(code, message, more));
}

/** A broken invariant: a bug in Weft, never an expected condition. The pipeline parks the message that met it. */
export class Defect extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Defect';
  }
}

/** Throws a `Defect` unless the condition holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Defect(message);
}

/** Marks a switch as exhaustive: reaching it is a defect. */
export function assertNever(value: never, what = 'value'): never {
  throw new Defect(`unexpected ${what}: ${JSON.stringify(value)}`);
}
