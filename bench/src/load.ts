// Load that enters where routing starts executions, and ends with the result event that a caller sees.
import { contextOf, DEFAULT_TENANT, type Command, type DefinitionRef } from '@weft/contracts';
import { uuidv7, type Json } from '@weft/kernel';
import { randomBytes } from 'node:crypto';
import type { Door, Ended } from './door.js';
import { ascending } from './percentile.js';

export interface LoadOptions {
  /** Executions to run. */
  readonly count: number;
  /** Executions in flight at once. */
  readonly concurrency: number;
  readonly onProgress?: (done: number) => void;
}

export interface LoadResult {
  /** Milliseconds from sending the command to the result of its execution: every sample, ascending. */
  readonly latenciesMs: readonly number[];
  readonly seconds: number;
  readonly executionIds: readonly string[];
  /** Results that were not `completed`. */
  readonly failed: number;
}

/** No execution of a bench takes longer: something hangs. */
const ANSWER_MS_MAX = 120_000;
const LOOK_MS = 1_000;

/** Sends commands and waits for the ends of their executions. */
export class LoadGenerator {
  readonly #waiting = new Map<string, (ended: Ended) => void>();
  #outbox: Command[] = [];
  #heardAt = performance.now();

  private constructor(private readonly door: Door) {}

  static async at(door: Door): Promise<LoadGenerator> {
    const load = new LoadGenerator(door);
    await door.onResults((results) => load.#results(results));
    return load;
  }

  /** Starts `count` executions of a definition, `concurrency` in flight, and waits for the end of each. */
  run(definition: DefinitionRef, input: Json, options: LoadOptions): Promise<LoadResult> {
    const inputJson = JSON.stringify(input);
    return this.drive(() => startCommand(definition, inputJson), options);
  }

  /** Sends commands that each lead to the end of an execution, `concurrency` in flight. */
  async drive(commandOf: (index: number) => Command, { count, concurrency, onProgress }: LoadOptions): Promise<LoadResult> {
    const latenciesMs: number[] = [];
    const executionIds: string[] = [];
    let [next, failed] = [0, 0];
    const startedAt = performance.now();
    this.#heardAt = startedAt;
    const one = async (): Promise<void> => {
      while (next < count) {
        const command = commandOf(next++);
        executionIds.push(command.executionId);
        const at = performance.now();
        const { status } = await this.#one(command);
        latenciesMs.push(performance.now() - at);
        if (status !== 'completed') failed++;
        onProgress?.(latenciesMs.length);
      }
    };
    await this.#withinPatience(Promise.all(Array.from({ length: Math.min(concurrency, count) }, one)));
    const seconds = (performance.now() - startedAt) / 1000;
    return { latenciesMs: latenciesMs.sort(ascending), seconds, executionIds, failed };
  }

  #one(command: Command): Promise<Ended> {
    const ended = new Promise<Ended>((resolve) => this.#waiting.set(command.executionId, resolve));
    // Commands of one tick go out together, as they do from routing.
    if (this.#outbox.push(command) === 1) queueMicrotask(() => this.#flush());
    return ended;
  }

  #flush(): void {
    const commands = this.#outbox;
    this.#outbox = [];
    this.door.send(commands).catch((fault: unknown) => {
      throw fault;
    });
  }

  #results(results: readonly Ended[]): void {
    for (const ended of results) {
      const settle = this.#waiting.get(ended.executionId);
      if (!settle) continue;
      this.#waiting.delete(ended.executionId);
      this.#heardAt = performance.now();
      settle(ended);
    }
  }

  async #withinPatience(work: Promise<unknown>): Promise<void> {
    let watch: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      watch = setInterval(() => {
        if (performance.now() - this.#heardAt > ANSWER_MS_MAX)
          reject(new Error(`no result within ${ANSWER_MS_MAX} ms; ${this.#waiting.size} executions are open, such as ${[...this.#waiting.keys()][0]}`));
      }, LOOK_MS);
    });
    try {
      await Promise.race([work, silence]);
    } finally {
      clearInterval(watch);
    }
  }
}

/** A start of a new execution, as routing sends it. */
export function startCommand(definition: DefinitionRef, inputJson: string): Command {
  const executionId = uuidv7(Date.now(), randomBytes(10));
  return {
    id: `start/${executionId}`,
    executionId,
    context: contextOf({ tenant: DEFAULT_TENANT, actor: 'service:bench', purpose: 'bench', executionId }),
    start: { requestSource: '/bench', requestId: executionId, requestType: `bench.${definition.name}.v1`, definition, inputJson, models: [], hops: 0 },
  };
}
