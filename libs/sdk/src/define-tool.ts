// Tools as their authors write them.
import type { InputOf, OutputOf, ToolSchema } from './tool-schema.js';

/**
 * What a call does to the world.
 * - `read`: nothing. May be called again at will.
 * - `idempotent-write`: something, but the same idempotency key does it once. Called again when an answer is lost.
 * - `non-idempotent-write`: something, each time. Never called again unless it is known that nothing was done.
 */
export type ToolEffect = 'read' | 'idempotent-write' | 'non-idempotent-write';

/** What a function knows about its call. */
export interface ToolCallContext {
  /** The same for every call of the same effect: hand it on to whatever keeps effects apart. */
  readonly idempotencyKey: string;
  readonly tenant: string;
  readonly actor: string;
  readonly purpose: string;
  readonly executionId: string;
  /** `namespace/name:version`. */
  readonly workflow: string;
  /** JSON Pointer of the task, and its iteration path ("" outside loops). */
  readonly task: string;
  readonly iteration: string;
  /** The agent that acts; "" = the workflow itself. */
  readonly agent: string;
  /** W3C Trace Context, to go on with; "" = none. */
  readonly traceparent: string;
  /** Labels of the untrusted sources that the arguments come from. */
  readonly taint: readonly string[];
  /** When the attempt is over, milliseconds since the Unix epoch on this machine's clock. */
  readonly deadlineMs: number;
  /** Aborted at the deadline, when nobody waits for the answer any more, and when the worker has to go. */
  readonly signal: AbortSignal;
}

/** What is known about an effect whose answer was lost. */
export type ReconcileAnswer<Output> = { readonly happened: true; readonly output: Output } | { readonly happened: false } | { readonly happened: 'unclear' };

export interface ToolOptions<I extends ToolSchema, O extends ToolSchema | undefined> {
  /** 1 to 60 characters of a-z, 0-9, `-`, `_`, starting with a letter. Workflows call it as `source.name`. */
  readonly name: string;
  readonly description: string;
  readonly input: I;
  readonly output?: O;
  readonly effect: ToolEffect;
  /**
   * Says whether the effect under this idempotency key happened. Only for `non-idempotent-write`: asked when an answer was lost.
   * Without it a person is asked.
   */
  readonly reconcile?: (input: InputOf<I>, context: ToolCallContext) => Promise<ReconcileAnswer<OutputOf<O>>> | ReconcileAnswer<OutputOf<O>>;
  /** From the dispatch, waiting for a worker included, to the moment after which the attempt is over. Default 10,000; at most 600,000. */
  readonly timeoutMs?: number;
  /** Calls of this tool that one worker carries out at once. Default: as many as the worker. */
  readonly concurrency?: number;
}

/** A tool that a worker can bring. */
export interface Tool {
  readonly options: ToolOptions<ToolSchema, ToolSchema | undefined>;
  readonly run: (input: unknown, context: ToolCallContext) => Promise<unknown>;
}

/**
 * Thrown by a tool that knows that it has done nothing. Any other error of a tool that writes means that the effect may have happened.
 */
export class NotDone extends Error {
  override readonly name = 'NotDone';
  readonly code: string;
  readonly isRetryable: boolean;
  readonly retryAfterMs: number;

  /** @param more `code`: for the workflow, in kebab-case, default `tool-failed`; `isRetryable`: default false; `retryAfterMs`: default 0. */
  constructor(message: string, more: { readonly code?: string; readonly isRetryable?: boolean; readonly retryAfterMs?: number } = {}) {
    super(message);
    this.code = more.code ?? 'tool-failed';
    this.isRetryable = more.isRetryable ?? false;
    this.retryAfterMs = more.retryAfterMs ?? 0;
  }
}

/** Timeout of a tool that names none, milliseconds. */
export const TIMEOUT_MS = 10_000;
const TIMEOUT_MS_MAX = 600_000;

/**
 * Defines a tool: its types follow from its schemas.
 * @throws TypeError when the definition contradicts itself.
 */
export function defineTool<const I extends ToolSchema, const O extends ToolSchema | undefined = undefined>(
  options: ToolOptions<I, O>,
  run: (input: InputOf<I>, context: ToolCallContext) => Promise<OutputOf<O>> | OutputOf<O>,
): Tool {
  const { name, description, effect, reconcile, timeoutMs = TIMEOUT_MS, concurrency } = options;
  const expect = (holds: boolean, what: string): void => {
    if (!holds) throw new TypeError(`Expected of tool ${JSON.stringify(name)} ${what}.`);
  };
  expect(/^[a-z][a-z0-9_-]{0,59}$/.test(name), 'a name of 1 to 60 characters of a-z, 0-9, "-" and "_", starting with a letter');
  expect(description.trim() !== '', 'a description');
  expect(reconcile === undefined || effect === 'non-idempotent-write', `no reconcile function, because it is ${effect}`);
  expect(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX, `a timeout of 1 to ${TIMEOUT_MS_MAX} milliseconds`);
  expect(concurrency === undefined || (Number.isInteger(concurrency) && concurrency >= 1), 'a concurrency of at least 1');
  return { options: options as unknown as Tool['options'], run: async (input, context) => run(input as InputOf<I>, context) };
}
