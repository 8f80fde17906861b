// Waits for the end of an execution: the result event wakes at once, asking orchestration covers events that were lost or came too early.
import type { Context, Delivery, Execution, OrchestrationPeer, ResultBody } from '@weft/contracts';
import { Refused, rejection, type Json, type Rejection } from '@weft/kernel';
import { Fault } from '@weft/pipeline';

/** How an execution ended. */
export type Outcome = Pick<ResultBody, 'status' | 'output' | 'error'>;

const ENDED: ReadonlySet<string> = new Set(['completed', 'faulted', 'cancelled']);
const ASK_FIRST_MS = 250;
const ASK_MAX_MS = 2_000;

export class ResultWaiter {
  readonly #waiting = new Map<string, Set<(outcome: Outcome) => void>>();

  #callers = 0;

  /** @param waitingMax callers that may wait at a time. */
  constructor(
    private readonly orchestration: Pick<OrchestrationPeer, 'getExecution'>,
    private readonly waitingMax: number,
  ) {}

  /** Whether one more caller may wait. */
  get hasRoom(): boolean {
    return this.#callers < this.waitingMax;
  }

  /** What a caller is told who can only be answered by waiting. Code `overloaded`. */
  refusal(): Rejection {
    return rejection('overloaded', `Expected at most ${this.waitingMax} callers to wait for a result but there are that many. Ask again with the same id: it is done once.`, {
      retryable: true,
      retryAfterMs: 1_000,
    });
  }

  /** Takes a batch of results. Those that nobody here waits for concern other processes. */
  async handle(batch: readonly Delivery[]): Promise<void> {
    if (this.#waiting.size === 0) return;
    for (const delivery of batch) {
      if (!delivery.ok) continue;
      const { executionId, status, output, error } = delivery.envelope.body as ResultBody;
      for (const settle of this.#waiting.get(executionId) ?? []) settle({ status, ...(output === undefined ? {} : { output }), ...(error === undefined ? {} : { error }) });
    }
  }

  /**
   * Waits for the end of an execution of the context's tenant.
   * @param signal ends the waiting early. @returns the outcome, or undefined when the time is up first.
   */
  async wait(executionId: string, context: Context, waitMs: number, signal: AbortSignal): Promise<Outcome | undefined> {
    let settle: (outcome: Outcome | undefined) => void = () => undefined;
    let isOver = signal.aborted;
    this.#callers++;
    const told = new Promise<Outcome | undefined>((resolve) => (settle = resolve));
    const onAbort = (): void => settle(undefined);
    const timer = setTimeout(onAbort, waitMs);
    signal.addEventListener('abort', onAbort, { once: true });
    const waiters = this.#waiting.get(executionId) ?? new Set();
    this.#waiting.set(executionId, waiters.add(settle));
    if (isOver) settle(undefined);
    const asking = this.#ask(executionId, context, () => isOver, settle);
    try {
      return await told;
    } finally {
      isOver = true;
      this.#callers--;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      waiters.delete(settle);
      if (waiters.size === 0) this.#waiting.delete(executionId);
      asking.wake();
    }
  }

  /** Asks at once, because the end may have come before anybody waited, and then ever more rarely. */
  #ask(executionId: string, context: Context, isOver: () => boolean, settle: (outcome: Outcome) => void): { wake(): void } {
    let wake: () => void = () => undefined;
    const run = async (): Promise<void> => {
      for (let pauseMs = ASK_FIRST_MS; !isOver(); pauseMs = Math.min(pauseMs * 2, ASK_MAX_MS)) {
        const outcome = await this.#outcomeNow(executionId, context);
        if (outcome) return settle(outcome);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, pauseMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (isOver()) wake();
        });
      }
    };
    run().catch(() => undefined);
    return { wake: () => wake() };
  }

  async #outcomeNow(executionId: string, context: Context): Promise<Outcome | undefined> {
    try {
      const execution = await this.orchestration.getExecution({ executionId }, context);
      return ENDED.has(execution.status) ? outcomeOf(execution) : undefined;
    } catch (thrown) {
      // Not known there yet, or orchestration is away: the result event, or the next question, tells.
      if (thrown instanceof Refused || thrown instanceof Fault) return undefined;
      throw thrown;
    }
  }
}

function outcomeOf({ status, outputJson, errorJson }: Execution): Outcome {
  return {
    status: status as Outcome['status'],
    ...(outputJson === '' ? {} : { output: JSON.parse(outputJson) as Json }),
    ...(errorJson === '' ? {} : { error: JSON.parse(errorJson) as Json }),
  };
}
