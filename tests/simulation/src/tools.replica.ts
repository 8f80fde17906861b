// One tools process: the real ledger through the real spine; carrying out goes by the steps that the core gives.
import { isJsonObject, rejection, uuidv7, type Instant, type Json } from '@weft/kernel';
import { Lanes, StateCache } from '@weft/pipeline';
import { classifyHttp, RECONCILE_TRIES_MAX, reconcileWaitMs, type EffectCommand, type EffectEvent, type EffectState, type EffectStep, type WriteClass } from '@weft/tools/core';
import type { Message } from './bus.js';
import { asking, completed, failed, type Job, type Sent } from './job.js';
import { sendOut } from './outside-call.js';
import type { Process } from './process.js';
import { historyPort, requireHere } from './store-port.js';
import type { World } from './world.js';

/** A job as a request that can be sent. */
interface Work {
  readonly job: Job;
  readonly counter: string;
  readonly amount: number;
  readonly effect: WriteClass;
  readonly isHooked: boolean;
  readonly recognisesKeys: boolean;
  readonly timeoutMs: number;
}

/** What this carrying-out has done so far. */
interface Run {
  sent: number;
  reconciled: number;
}

const PUBLISH_PAUSES_MS = [50, 500];

export class ToolsReplica {
  readonly #cache = new StateCache<EffectState>(64);
  readonly #lanes: Lanes<EffectState, EffectCommand, EffectEvent, never>;
  readonly #underWay = new Map<string, Promise<Sent | undefined>>();

  constructor(
    private readonly world: World,
    readonly process: Process,
  ) {
    const { parts, random, effects } = world;
    this.#lanes = new Lanes(
      {
        decider: parts.effectDecider,
        store: parts.effectPort(historyPort(world, process, effects)),
        cache: this.#cache,
        // The store's clock, as the process knows it: late by the way back.
        clock: { now: () => this.#now() },
        newCommitId: (now) => uuidv7(now, random.bytes(10)),
        publish: () => Promise.resolve(),
      },
      { batchMax: random.pick([1, 4, 128]), pause: (ms) => process.pauseFor(ms, 'lane pauses') },
    );
  }

  /** Takes long jobs off the bus; their results go back over it. */
  readonly handle = async (batch: readonly Message[]): Promise<void> => {
    const results = (await Promise.all(batch.map(({ body }) => this.carry(body as Job)))).filter((sent) => sent !== undefined);
    for (const { command } of results) this.world.watch.onResult(command);
    const messages = results.map((sent) => ({ id: sent.id, key: sent.execution, body: sent }));
    for (const pauseMs of PUBLISH_PAUSES_MS) {
      try {
        return await this.world.bus.publish(this.process, 'commands', messages);
      } catch {
        await this.process.pauseFor(pauseMs, 'publishes again');
      }
    }
    await this.world.bus.publish(this.process, 'commands', messages);
  };

  /** Carries out one job. Undefined: nothing to report, it is dispatched again. */
  carry(job: Job): Promise<Sent | undefined> {
    const key = job.settlement ? `${job.key} settled` : job.key;
    const known = this.#underWay.get(key);
    if (known) return known;
    const started = this.#carry(job).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  #now(): Instant {
    return this.world.schedule.now - 2;
  }

  async #carry(job: Job): Promise<Sent | undefined> {
    if (job.kind === 'infer') {
      await this.process.pauseFor(this.world.random.between(50, 3_000), 'thinks');
      if (this.world.chaos.strikes('model-away')) return failed(job, rejection('model-unavailable', 'The model is away.', { retryable: true }), 'none');
      return completed(job, modelAnswer(job.input));
    }
    const work = workOf(job);
    if (!work) {
      await this.process.pauseFor(this.world.random.between(1, 30), 'reads');
      return completed(job, { looked: true });
    }
    return this.#effect(work);
  }

  async #effect(work: Work): Promise<Sent | undefined> {
    const { job } = work;
    const { parts } = this.world;
    const run: Run = { sent: 0, reconciled: 0 };
    if (isGuarded(work.amount) && !job.settlement && !parts.mayAct(await this.#isApproved(work)) && (await this.#look(job.key)).status === 'none') return asking(job, digestOf(work));
    let state = await this.#settled(work);
    for (;;) {
      const step: EffectStep = state ? parts.nextStep(state, { now: this.#now(), token: '', sent: run.sent }) : { do: 'dispatch' };
      switch (step.do) {
        case 'dispatch':
        case 'lose':
          state = await this.#attempt(work, run);
          break;
        case 'wait':
          await this.process.pauseFor(Math.max(1, step.until - this.#now()), 'waits for an attempt');
          state = undefined;
          break;
        case 'reconcile': {
          const answer = await this.#reconcile(work, run);
          if (answer) state = await this.#ask(job.key, answer);
          else if (run.reconciled >= RECONCILE_TRIES_MAX && state?.status === 'unknown') return failed(job, state.failure, 'unknown', true);
          else await this.process.pauseFor(reconcileWaitMs(run.reconciled), 'asks the hook again');
          break;
        }
        case 'askPerson':
          return failed(job, step.failure, 'unknown', true);
        case 'giveUp':
          return failed(job, step.failure, 'unknown');
        case 'fail':
          return failed(job, step.failure, 'failed');
        case 'complete':
          return completed(job, step.output);
        case 'send':
          throw new Error('a dispatch belongs to the attempt that recorded it');
      }
    }
  }

  /** Whether people approved exactly this, for this key alone. */
  async #isApproved({ job, counter, amount }: Work): Promise<boolean> {
    const { approvalsUsed } = this.world;
    for (const { review, digest } of job.approvals) {
      if (digest !== digestOf({ counter, amount })) continue;
      const user = await this.process.ask('takes an approval', () => {
        if (!approvalsUsed.has(review)) approvalsUsed.set(review, job.key);
        return approvalsUsed.get(review);
      });
      if (user === job.key) return true;
    }
    return false;
  }

  async #attempt(work: Work, run: Run): Promise<EffectState> {
    const { job, effect, isHooked, timeoutMs } = work;
    const { parts, random } = this.world;
    const token = `token-${random.between(0, 2 ** 30)}`;
    const untilMs = this.process.monotonic() + timeoutMs;
    const state = await this.#ask(job.key, {
      type: 'Dispatch',
      token,
      sent: run.sent,
      effect,
      reconcilable: isHooked,
      timeoutMs,
      subject: { executionId: job.execution, pointer: job.pointer, iteration: job.iteration, generation: job.generation, tool: work.counter },
      request: null,
    });
    if (parts.nextStep(state, { now: this.#now(), token, sent: run.sent }).do !== 'send') return state;
    run.sent++;
    const { counter, amount, recognisesKeys } = work;
    const request = { key: parts.sentKey(job), job: job.id, execution: job.execution, counter, amount, recognisesKeys };
    const exchange = await sendOut(this.world, this.process, request, parts.leftMs(untilMs, this.process.monotonic()));
    const outcome = classifyHttp(effect, exchange);
    if (outcome.kind === 'confirmed') return this.#ask(job.key, { type: 'Confirm', token, output: { amount } });
    return this.#ask(job.key, { type: outcome.kind === 'failed' ? 'Fail' : 'LoseAnswer', token, failure: outcome.failure });
  }

  /** A person's word that came with the job goes into the ledger first. */
  async #settled({ job, effect, isHooked, timeoutMs, counter }: Work): Promise<EffectState | undefined> {
    if (!job.settlement) return undefined;
    const { happened, output, decidedBy } = job.settlement;
    const settle: EffectCommand = { type: 'Settle', happened, output, person: decidedBy };
    const [outcome] = await this.#lanes.submit([{ key: job.key, command: settle, messageId: job.key }]);
    if (outcome?.kind !== 'rejected') return this.#look(job.key);
    const subject = { executionId: job.execution, pointer: job.pointer, iteration: job.iteration, generation: job.generation, tool: counter };
    await this.#ask(job.key, { type: 'Dispatch', token: 'lost', sent: 0, effect, reconcilable: isHooked, timeoutMs, subject, request: null });
    return this.#ask(job.key, settle);
  }

  async #ask(key: string, command: EffectCommand): Promise<EffectState> {
    this.world.watch.commands++;
    const [outcome] = await this.#lanes.submit([{ key, command, messageId: 'token' in command ? command.token : key }]);
    if (outcome?.kind === 'setAside') this.world.watch.violate(`defect: an effect command is set aside: ${String(outcome.fault)}`);
    if (outcome?.kind === 'rejected') this.world.watch.violate(`I5: ${key}: ${outcome.rejection.message}`);
    return this.#look(key);
  }

  async #look(key: string): Promise<EffectState> {
    const cached = this.#cache.get(key)?.state;
    if (cached) return cached;
    const { effects, parts, schedule } = this.world;
    for (;;) {
      try {
        const stored = await this.process.ask('look', () => {
          requireHere(effects, schedule);
          return effects.load([key]);
        });
        return (stored.get(key)?.events ?? []).reduce(parts.effectDecider.evolve, parts.effectDecider.initial);
      } catch {
        await this.process.pauseFor(100, 'looks again');
      }
    }
  }

  async #reconcile({ job, isHooked }: Work, run: Run): Promise<EffectCommand | undefined> {
    run.reconciled++;
    if (!isHooked) return undefined;
    const { chaos, receiver } = this.world;
    return this.process.ask('ask the hook', (): EffectCommand | undefined => {
      if (chaos.strikes('hook-silent')) return undefined;
      const happened = receiver.happened.get(job.key);
      return { type: 'Reconcile', happened: happened !== undefined, output: happened ? { amount: happened.amount } : null };
    });
  }
}

/** What the model of a simulated world says: a turn of the script that it was asked with, by how often it has spoken before. */
function modelAnswer(input: Json): Json {
  const { messages, tools } = input as { readonly messages: readonly { readonly role: string; readonly content: string }[]; readonly tools?: Json };
  if (tools === undefined) return { text: 'well' };
  const { script } = JSON.parse(messages.find(({ role }) => role === 'user')!.content) as { readonly script: readonly (readonly Json[])[] };
  const calls = script[messages.filter(({ role }) => role === 'assistant').length] ?? [];
  // At a limit nothing is offered any more.
  return { content: 'well', toolCalls: Array.isArray(tools) && tools.length === 0 ? [] : calls };
}

const CLASSES: Readonly<Record<string, { readonly effect: WriteClass; readonly isHooked: boolean }>> = {
  idempotent: { effect: 'idempotent-write', isHooked: false },
  hooked: { effect: 'non-idempotent-write', isHooked: true },
  hookless: { effect: 'non-idempotent-write', isHooked: false },
  put: { effect: 'idempotent-write', isHooked: false },
  post: { effect: 'non-idempotent-write', isHooked: false },
};

/** Undefined: it changes nothing outside. */
function workOf(job: Job): Work | undefined {
  const input = job.input as { readonly name?: string; readonly method?: string; readonly arguments?: Json; readonly body?: Json };
  const given = input.arguments ?? input.body;
  const sending = CLASSES[input.name ?? input.method ?? ''];
  if (!sending || !isJsonObject(given)) return undefined;
  return { job, counter: String(given['counter']), amount: Number(given['amount']), ...sending, recognisesKeys: sending.effect === 'idempotent-write', timeoutMs: 2_000 };
}

/** One amount in eleven is nothing that is done without a person. */
export const isGuarded = (amount: number): boolean => amount % 11 === 0;

/** What is approved: as the receiver writes down what it did. */
const digestOf = ({ counter, amount }: Pick<Work, 'counter' | 'amount'>): string => `${counter}+${amount}`;
