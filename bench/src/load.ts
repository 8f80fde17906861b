// Load that enters where routing starts executions, and ends with the result event that a caller sees.
import { contextOf, DEFAULT_TENANT, topicName, type DefinitionRef, type Delivery, type ResultBody } from '@weft/contracts';
import { uuidv7, type Json } from '@weft/kernel';
import { outgoing, type Bus } from '@weft/pipeline';
import { randomBytes } from 'node:crypto';

export interface LoadOptions {
  readonly count: number;
  /** Executions in flight at once. */
  readonly concurrency: number;
  readonly onProgress?: (done: number) => void;
}

export interface LoadResult {
  /** Milliseconds from the start command to its result, sorted. */
  readonly latenciesMs: readonly number[];
  readonly seconds: number;
  readonly executionIds: readonly string[];
  /** Results that were not `completed`. */
  readonly failed: number;
}

/** No execution of a bench takes longer: something hangs. */
const ANSWER_MS_MAX = 120_000;

export class LoadGenerator {
  readonly #waiting = new Map<string, (body: ResultBody) => void>();

  private constructor(private readonly bus: Bus) {}

  static async on(bus: Bus): Promise<LoadGenerator> {
    const load = new LoadGenerator(bus);
    await bus.subscribe({ topic: topicName('results', DEFAULT_TENANT), group: `bench-${process.pid}-${Date.now()}`, from: 'latest', handle: async (batch) => load.#results(batch) });
    return load;
  }

  /** Runs `count` executions of a definition. */
  async run(definition: DefinitionRef, input: Json, { count, concurrency, onProgress }: LoadOptions): Promise<LoadResult> {
    const latenciesMs: number[] = [];
    const executionIds: string[] = [];
    let [next, failed] = [0, 0];
    const startedAt = performance.now();
    const lane = async (): Promise<void> => {
      while (next < count) {
        next++;
        const executionId = uuidv7(Date.now(), randomBytes(10));
        executionIds.push(executionId);
        const at = performance.now();
        const result = await this.#one(executionId, definition, input);
        latenciesMs.push(performance.now() - at);
        if (result.status !== 'completed') failed++;
        onProgress?.(latenciesMs.length);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
    const seconds = (performance.now() - startedAt) / 1000;
    return { latenciesMs: latenciesMs.sort((left, right) => left - right), seconds, executionIds, failed };
  }

  #one(executionId: string, definition: DefinitionRef, input: Json): Promise<ResultBody> {
    const context = contextOf({ tenant: DEFAULT_TENANT, actor: 'service:bench', purpose: 'bench', executionId });
    const id = `start/${executionId}`;
    const start = { requestSource: '/bench', requestId: executionId, requestType: 'bench.chain.v1', definition, inputJson: JSON.stringify(input), models: [] };
    const answered = new Promise<ResultBody>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no result for ${executionId} within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX);
      this.#waiting.set(executionId, (body) => {
        clearTimeout(late);
        resolve(body);
      });
    });
    const published = this.bus.publish([outgoing('commands', { id, source: '/weft/bench', type: 'ai.weft.command.start.v1', key: executionId, context, body: { id, executionId, context, start } })]);
    return published.then(() => answered);
  }

  #results(batch: readonly Delivery[]): void {
    for (const delivery of batch) {
      if (!delivery.ok) continue;
      const body = delivery.envelope.body as ResultBody;
      this.#waiting.get(body.executionId)?.(body);
      this.#waiting.delete(body.executionId);
    }
  }
}

/** The value below which a share of the sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
