// The tools of workers as a source: any replica may be asked, whichever the worker is connected to.
import { randomUUID } from 'node:crypto';
import { WorkerCall, type Job, type WorkerResult } from '@weft/contracts';
import { isJsonObject, rejection, type Failure, type Json } from '@weft/kernel';
import type { EffectClass, EffectOutcome, OfferedTool, Reconciliation } from '@weft/tools/core';
import type { Sending, Sent } from '../carry-out/work.js';
import type { WorkerToolStore } from '../persist/worker-tool.store.js';
import { checkedAnswer, outputProblem } from '../source/output-check.js';
import { pinnedAs } from '../source/pinned-as.js';
import { pinDigest } from '../pin/pin-book.js';
import type { SourceCall, ToolSource } from '../source/tool-source.js';
import type { CallOutcome } from './worker-call.js';
import type { WorkerHub } from './worker-hub.js';
import { ARGUMENT_BYTES_MAX } from './worker-session.js';
import type { WorkerToolDefinition } from './worker-tool.js';

export interface WorkerSourceOptions {
  readonly name: string;
  /** Tenants whose jobs its workers get; `*` for all. */
  readonly tenants: readonly string[];
  readonly hub: WorkerHub;
  readonly store: WorkerToolStore;
}

export class WorkerSource implements ToolSource {
  readonly name: string;
  readonly identity: Json = { worker: true };
  readonly #listeners: (() => void)[] = [];
  readonly #digests = new WeakMap<OfferedTool, string>();

  constructor(private readonly options: WorkerSourceOptions) {
    this.name = options.name;
  }

  async list(): Promise<readonly OfferedTool[]> {
    return (await this.options.store.of(this.name)).map(offeredOf);
  }

  /** Digest of the pin that a definition needs: what a worker's call is matched by. */
  digestOf(tool: OfferedTool): string {
    let digest = this.#digests.get(tool);
    if (digest === undefined) {
      digest = pinDigest(pinnedAs(this, tool));
      this.#digests.set(tool, digest);
    }
    return digest;
  }

  async call({ job, tool, terms, args, sending }: SourceCall): Promise<Sent> {
    const denial = this.#denial(job);
    if (denial) return { outcome: { kind: 'failed', failure: denial } };
    const bytes = Buffer.byteLength(JSON.stringify(args));
    if (bytes > ARGUMENT_BYTES_MAX)
      return { outcome: { kind: 'failed', failure: rejection('input-invalid', `Expected arguments of a worker's tool of at most ${ARGUMENT_BYTES_MAX} bytes as JSON but they have ${bytes}.`) } };
    const outcome = await this.#offer('call', job, tool, args, sending);
    if (outcome.kind !== 'answered') return { outcome: unanswered(outcome, terms.effect, this.name) };
    return sentOf(outcome.result, tool, terms.effect);
  }

  reconcileOf(tool: OfferedTool): ((job: Job, args: Json, signal: AbortSignal) => Promise<Reconciliation>) | undefined {
    if (!isJsonObject(tool.target) || tool.target['reconciles'] !== true) return undefined;
    return async (job, args) => {
      if (this.#denial(job)) return { happened: 'unclear', reason: 'its source may not see jobs of this tenant' };
      const outcome = await this.#offer('reconcile', job, tool, args, { untilMs: performance.now() + RECONCILE_MS, traceparent: '' });
      if (outcome.kind !== 'answered') return { happened: 'unclear', reason: 'no worker has answered' };
      const { result } = outcome;
      if (result.outcome === 'did-not-happen') return { happened: false };
      if (result.outcome !== 'happened') return { happened: 'unclear', reason: 'the worker cannot tell' };
      return { happened: true, output: parsed(result.outputJson) ?? null };
    };
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Other definitions than before are there. */
  changed(): void {
    for (const tell of this.#listeners) tell();
  }

  async close(): Promise<void> {}

  #denial(job: Job): Failure | undefined {
    const tenant = job.context?.tenant ?? '';
    const { tenants } = this.options;
    if (tenants.includes('*') || tenants.includes(tenant)) return undefined;
    return rejection(
      'denied',
      `Expected a source whose workers may see jobs of tenant ${JSON.stringify(tenant)} but ${this.name} names others. To allow it, add the tenant to \`tenants\` of the source.`,
    );
  }

  #offer(kind: 'call' | 'reconcile', job: Job, tool: OfferedTool, args: Json, { untilMs, traceparent, signal, halted = signal }: Sending): Promise<CallOutcome> {
    const { context } = job;
    const call = WorkerCall.create({
      kind,
      tool: tool.name,
      argumentsJson: JSON.stringify(args),
      idempotencyKey: job.idempotencyKey,
      context: context && traceparent !== '' ? { ...context, traceparent } : context,
      workflow: job.workflow,
      pointer: job.pointer,
      iteration: job.iteration,
      agent: job.agent,
    });
    return this.options.hub.call({ id: randomUUID(), source: this.name, tool: tool.name, digest: this.digestOf(tool), call }, untilMs, halted);
  }
}

const RECONCILE_MS = 10_000;

/** A definition as it is offered, and pinned: what it does to the world is part of what is accepted. */
export function offeredOf({ name, description, input, output, effect, hasReconcile, timeoutMs }: WorkerToolDefinition): OfferedTool {
  return { name, description, input, ...(output ? { output } : {}), effect, timeoutMs, target: { effect, reconciles: hasReconcile } };
}

/**
 * | what | outcome |
 * |---|---|
 * | no worker has seen it | failed, retryable |
 * | a worker had it and is gone, or has not answered in time | unknown for writes |
 */
function unanswered(outcome: Exclude<CallOutcome, { kind: 'answered' }>, effect: EffectClass, source: string): EffectOutcome {
  if (outcome.kind === 'notTaken') {
    return {
      kind: 'failed',
      failure: rejection('unreachable', `Expected a worker of source ${source} to take the call but none with this definition of the tool has had room in time.`, { retryable: true }),
    };
  }
  const what = outcome.reason === 'gone' ? 'it is gone' : 'it has not answered in time';
  if (effect === 'read')
    return { kind: 'failed', failure: rejection(outcome.reason === 'gone' ? 'unreachable' : 'timeout', `Expected an answer of a worker of source ${source} but ${what}.`, { retryable: true }) };
  return { kind: 'unknown', failure: rejection('effect-unknown', `Expected an answer of a worker of source ${source} but ${what}: the effect may have happened.`, { retryable: true }) };
}

function sentOf(result: WorkerResult, tool: OfferedTool, effect: EffectClass): Sent {
  const message = result.message.slice(0, 2_000) || 'the worker gives no reason';
  switch (result.outcome) {
    case 'completed': {
      const output = parsed(result.outputJson);
      if (output === undefined)
        return {
          outcome: { kind: 'confirmed' },
          answer: { output: null, unusable: rejection('output-invalid', result.code === 'output-invalid' ? message : 'Expected an answer in JSON but it is none.') },
        };
      return { outcome: { kind: 'confirmed' }, answer: checkedAnswer(output, (value) => outputProblem(tool, value)) };
    }
    case 'failed': {
      const code = /^[a-z][a-z0-9-]{0,59}$/.test(result.code) ? result.code : 'tool-failed';
      return { outcome: { kind: 'failed', failure: rejection(code, message, { retryable: result.retryable, ...(result.retryAfterMs > 0 ? { retryAfterMs: result.retryAfterMs } : {}) }) } };
    }
    default:
      return {
        outcome:
          effect === 'read'
            ? { kind: 'failed', failure: rejection('tool-failed', message, { retryable: true }) }
            : { kind: 'unknown', failure: rejection('effect-unknown', `${message} The effect may have happened.`, { retryable: true }) },
      };
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
