// One model call as a durable workflow, beside the same call made directly: what Weft costs, not what the model does. The model is the scripted one.
import { Agent, request } from 'node:http';
import type { DefinitionRef } from '@weft/contracts';
import { checkJobs, type HistoryFacts } from './history-check.js';
import { LoadGenerator, startCommand } from './load.js';
import type { ModelProcess } from './model-process.js';
import { ascending, percentile, rounded } from './percentile.js';
import type { Target } from './target.js';

export interface InferOptions {
  /** Model calls of the throughput part; a tenth of them, one at a time, make the latency part. */
  readonly count: number;
  readonly concurrency: number;
  readonly onProgress: (text: string) => void;
}

export interface InferReport extends HistoryFacts {
  readonly workload: 'infer';
  readonly profile: string;
  /** Answers come from the scripted server and not from a model. */
  readonly simulated: true;
  readonly count: number;
  readonly concurrency: number;
  /** One at a time: the call made directly, and through Weft from the start of the execution to its result. */
  readonly directP50Ms: number;
  readonly weftP50Ms: number;
  readonly weftP99Ms: number;
  /** The difference of the two medians. */
  readonly overheadP50Ms: number;
  /** With `concurrency` under way. */
  readonly directPerSecond: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

// The SDK, plans and connections warm up outside the measured part.
const WARM_UP = 200;
// What the machine does meanwhile meets both alike.
const ROUNDS = 4;

const PROMPT = 'What is a weft? Answer in one sentence.';

export async function runInfer(target: Target, model: ModelProcess, { count, concurrency, onProgress }: InferOptions): Promise<InferReport> {
  const definition = await target.deploy('infer');
  const load = await LoadGenerator.at(target.door);
  const direct = new DirectCaller(model.url);
  const executionIds: string[] = [];
  let failed = 0;
  const throughWeft = async (calls: number, atOnce: number) => {
    const result = await load.drive(() => withModel(startCommand(definition, JSON.stringify({ prompt: PROMPT })), definition, model.url), { count: calls, concurrency: atOnce });
    executionIds.push(...result.executionIds);
    failed += result.failed;
    return result;
  };
  await throughWeft(WARM_UP, concurrency);
  await direct.run(WARM_UP, concurrency);

  onProgress('one at a time');
  const single = Math.max(20, Math.round(count / 10 / ROUNDS));
  const [directMs, weftMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    directMs.push(...(await direct.run(single, 1)).latenciesMs);
    weftMs.push(...(await throughWeft(single, 1)).latenciesMs);
  }
  onProgress(`${concurrency} at once`);
  const directMany = await direct.run(count, concurrency);
  const many = await throughWeft(count, concurrency);
  direct.close();

  const { violations, ...facts } = await checkJobs(target.pool, executionIds, 1);
  const asked = (await model.received()) - direct.calls;
  const [directP50, weftP50] = [percentile(directMs.sort(ascending), 0.5), percentile(weftMs.sort(ascending), 0.5)];
  return {
    workload: 'infer',
    profile: target.profile,
    simulated: true,
    count,
    concurrency,
    directP50Ms: rounded(directP50),
    weftP50Ms: rounded(weftP50),
    weftP99Ms: rounded(percentile(weftMs, 0.99)),
    overheadP50Ms: rounded(weftP50 - directP50),
    directPerSecond: rounded(count / directMany.seconds),
    perSecond: rounded(count / many.seconds),
    p50Ms: rounded(percentile(many.latenciesMs, 0.5)),
    p99Ms: rounded(percentile(many.latenciesMs, 0.99)),
    ...facts,
    violations: [
      ...(failed > 0 ? [`Expected every execution to complete but ${failed} did not.`] : []),
      ...(asked === executionIds.length ? [] : [`Expected the model to be asked once an execution, ${executionIds.length} times, but it was asked ${asked} times.`]),
      ...violations,
    ],
  };
}

function withModel(command: ReturnType<typeof startCommand>, definition: DefinitionRef, url: string): ReturnType<typeof startCommand> {
  const candidate = { id: 'scripted', endpoint: `${url}/v1`, model: 'scripted', keySecret: '', reason: `for ${definition.name}`, simulated: true };
  return { ...command, start: { ...command.start!, models: [candidate] } };
}

/** The same call without Weft, over connections that stay open. */
class DirectCaller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #url: URL;
  readonly #body = JSON.stringify({
    model: 'scripted',
    max_tokens: 64,
    messages: [
      { role: 'system', content: 'You answer.' },
      { role: 'user', content: PROMPT },
    ],
  });
  calls = 0;

  constructor(url: string) {
    this.#url = new URL('/v1/chat/completions', url);
  }

  async run(count: number, concurrency: number): Promise<{ readonly latenciesMs: number[]; readonly seconds: number }> {
    const latenciesMs: number[] = [];
    let next = 0;
    const startedAt = performance.now();
    const one = async (): Promise<void> => {
      while (next++ < count) {
        const at = performance.now();
        await this.#call();
        latenciesMs.push(performance.now() - at);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, count) }, one));
    return { latenciesMs, seconds: (performance.now() - startedAt) / 1000 };
  }

  close(): void {
    this.#agent.destroy();
  }

  #call(): Promise<unknown> {
    this.calls++;
    return new Promise((resolve, reject) => {
      const call = request(this.#url, { method: 'POST', agent: this.#agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(this.#body) } }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => resolve(JSON.parse(text)));
      });
      call.on('error', reject);
      call.end(this.#body);
    });
  }
}
