// Overload: twice what can be served, for a minute. Refusals must be typed, memory bounded, and all well soon after the end.
import type { Pool } from '@weft/adapter-postgres';
import { uuidv7 } from '@weft/kernel';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FootprintMeter } from './footprint.js';
import { durabilityOf, one, type Durability } from './history-check.js';
import { HttpCaller, type Answer } from './http-caller.js';
import { ascending, percentile, rounded } from './percentile.js';
import type { ProcessTarget } from './target.js';

export interface OverloadOptions {
  /** Requests in flight while what can be served is measured. */
  readonly concurrency: number;
  /** Length of the overload. */
  readonly seconds: number;
  readonly onProgress: (text: string) => void;
}

export interface OverloadReport extends Durability {
  readonly workload: 'overload';
  readonly profile: string;
  /** Requests offered: `offered` = `served` + `refused`, when nothing is wrong. */
  readonly count: number;
  readonly concurrency: number;
  readonly seconds: number;
  /** Chains a second with `concurrency` in flight, each asked for when the one before ended. */
  readonly capacityPerSecond: number;
  readonly offered: number;
  readonly offeredPerSecond: number;
  /** Accepted and completed. */
  readonly served: number;
  readonly refused: number;
  readonly acceptedP99Ms: number;
  readonly refusedP99Ms: number;
  /** Requests that were accepted and are asked again while others are refused. */
  readonly asked: number;
  readonly askedAnswered: number;
  /** Resident memory of Weft's processes at most, while what can be served was served. */
  readonly rssBaselineMiB: number;
  readonly rssMaxMiB: number;
  /** From the end of the overload until nothing is left and answers are as quick as before it. */
  readonly recoverySeconds: number;
  readonly violations: readonly string[];
}

const TYPE = 'bench.chain.v1';
const PROBES = 100;
const CAPACITY_SECONDS = 10;
const TICK_MS = 5;
const SAMPLE_MS = 250;
// One of so many accepted requests is asked again.
const ASK_AGAIN = 50;
const RECOVERED_PROBES = 5;
const RECOVERY_SECONDS_MAX = 120;
// A share of the rate that the generator must reach for the run to be what it claims.
const REACHED = 0.9;

export async function runOverload(target: ProcessTarget, options: OverloadOptions): Promise<OverloadReport> {
  const { concurrency, seconds, onProgress } = options;
  await target.deploy('chain');
  const meter = await FootprintMeter.of(target.pids, target.pool);
  const rss = new RssSampler(() => meter.weftRssKib());
  const caller = new HttpCaller(target.url, target.apiKey);
  const ends = new Ends();
  await target.door.onResults((results) => results.forEach(({ executionId, status }) => ends.end(executionId, status)));
  try {
    onProgress('measuring what can be served');
    await closedLoop(caller, ends, concurrency, CAPACITY_SECONDS / 2);
    const baseline = await probes(caller, ends, PROBES);
    rss.restart();
    const capacityPerSecond = await closedLoop(caller, ends, concurrency, CAPACITY_SECONDS);
    const rssBaselineMiB = rss.maxMiB();

    rss.restart();
    const rate = 2 * capacityPerSecond;
    onProgress(`offering ${Math.round(rate)} a second, twice what is served, for ${seconds} s`);
    const offer = await openLoop(caller, ends, rate, seconds, onProgress);
    const endedAt = performance.now();
    const recoveredAt = await recovered(caller, ends, offer, percentile(baseline, 0.99));
    const recoverySeconds = (recoveredAt - endedAt) / 1000;
    onProgress(`recovered after ${recoverySeconds.toFixed(1)} s`);
    await Promise.all(offer.pending);

    const served = offer.accepted.filter((id) => ends.statusOf(id) === 'completed').length;
    return {
      workload: 'overload',
      profile: target.profile,
      count: offer.offered,
      concurrency,
      seconds,
      capacityPerSecond: rounded(capacityPerSecond),
      offered: offer.offered,
      offeredPerSecond: rounded(offer.offered / offer.seconds),
      served,
      refused: offer.refused.length,
      acceptedP99Ms: rounded(percentile(offer.acceptedMs.sort(ascending), 0.99)),
      refusedP99Ms: rounded(percentile(offer.refusedMs.sort(ascending), 0.99)),
      asked: offer.asked,
      askedAnswered: offer.askedAnswered,
      rssBaselineMiB: rounded(rssBaselineMiB),
      rssMaxMiB: rounded(rss.maxMiB()),
      recoverySeconds: rounded(recoverySeconds),
      ...(await durabilityOf(target.pool)),
      violations: [...violationsOf(offer, served, rate, ends), ...(await checkStore(target.pool, offer))],
    };
  } finally {
    rss.stop();
    caller.close();
  }
}

/** Ends of executions, in whatever order they and the answers of the door come. */
class Ends {
  readonly #statuses = new Map<string, string>();
  readonly #waiting = new Map<string, () => void>();
  /** Results beyond the first of an execution. */
  repeated = 0;

  end(executionId: string, status: string): void {
    if (this.#statuses.has(executionId)) this.repeated++;
    this.#statuses.set(executionId, status);
    this.#waiting.get(executionId)?.();
    this.#waiting.delete(executionId);
  }

  statusOf(executionId: string): string | undefined {
    return this.#statuses.get(executionId);
  }

  async of(executionId: string): Promise<void> {
    if (!this.#statuses.has(executionId)) await new Promise<void>((resolve) => this.#waiting.set(executionId, resolve));
  }
}

/** Resident memory, sampled. */
class RssSampler {
  #maxKib = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly sample: () => number) {
    this.#timer = setInterval(() => (this.#maxKib = Math.max(this.#maxKib, this.sample())), SAMPLE_MS);
  }

  restart(): void {
    this.#maxKib = this.sample();
  }

  maxMiB(): number {
    return this.#maxKib / 1024;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const newId = (): string => uuidv7(Date.now(), randomBytes(10));

/** Milliseconds from asking to the result, one at a time, ascending. */
async function probes(caller: HttpCaller, ends: Ends, count: number): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  while (latenciesMs.length < count) latenciesMs.push((await probe(caller, ends)) ?? Infinity);
  return latenciesMs.sort(ascending);
}

async function probe(caller: HttpCaller, ends: Ends): Promise<number | undefined> {
  const at = performance.now();
  const answer = await caller.publish(TYPE, newId());
  if (answer.kind !== 'accepted') return undefined;
  await ends.of(answer.executionId);
  return performance.now() - at;
}

/** @returns executions completed a second when each caller asks again once its answer is there. */
async function closedLoop(caller: HttpCaller, ends: Ends, concurrency: number, seconds: number): Promise<number> {
  const startedAt = performance.now();
  let [completed, refusals] = [0, 0];
  const one = async (): Promise<void> => {
    while (performance.now() - startedAt < seconds * 1000) {
      if ((await probe(caller, ends)) === undefined) {
        refusals++;
        await sleep(100);
      } else completed++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  if (completed === 0) throw new Error(`Expected requests to be served but all ${refusals} were refused.`);
  return completed / ((performance.now() - startedAt) / 1000);
}

interface Offer {
  offered: number;
  readonly accepted: string[];
  readonly acceptedIds: string[];
  readonly acceptedMs: number[];
  readonly refused: string[];
  readonly refusedMs: number[];
  readonly faults: string[];
  /** Refusals that are not `overloaded`, or do not say when to come back. */
  readonly untyped: string[];
  asked: number;
  askedAnswered: number;
  seconds: number;
  /** Answers that are still to come. */
  readonly pending: Set<Promise<void>>;
}

/** Offers at a rate, whatever comes back. */
async function openLoop(caller: HttpCaller, ends: Ends, rate: number, seconds: number, onProgress: (text: string) => void): Promise<Offer> {
  const offer: Offer = { offered: 0, accepted: [], acceptedIds: [], acceptedMs: [], refused: [], refusedMs: [], faults: [], untyped: [], asked: 0, askedAnswered: 0, seconds: 0, pending: new Set() };
  const startedAt = performance.now();
  let told = 0;
  for (;;) {
    const elapsed = (performance.now() - startedAt) / 1000;
    if (elapsed >= seconds) break;
    for (const due = Math.floor(elapsed * rate); offer.offered < due; offer.offered++) {
      const answered: Promise<void> = offerOne(caller, offer).finally(() => offer.pending.delete(answered));
      offer.pending.add(answered);
    }
    if (elapsed - told >= 10) {
      told = elapsed;
      const open = offer.accepted.filter((id) => ends.statusOf(id) === undefined).length;
      onProgress(`${offer.offered} offered, ${offer.accepted.length} accepted, ${open} of them open, ${offer.refused.length} refused, ${offer.pending.size} without an answer`);
    }
    await sleep(TICK_MS);
  }
  offer.seconds = (performance.now() - startedAt) / 1000;
  return offer;
}

async function offerOne(caller: HttpCaller, offer: Offer): Promise<void> {
  const id = newId();
  const at = performance.now();
  const answer = await caller.publish(TYPE, id);
  const tookMs = performance.now() - at;
  if (answer.kind === 'accepted') {
    offer.accepted.push(answer.executionId);
    offer.acceptedIds.push(id);
    offer.acceptedMs.push(tookMs);
    if (offer.accepted.length % ASK_AGAIN === 0) await askAgain(caller, offer, id, answer.executionId);
  } else if (answer.kind === 'refused') {
    offer.refused.push(id);
    offer.refusedMs.push(tookMs);
    if (!isTyped(answer)) offer.untyped.push(`${answer.status} ${answer.code}`);
  } else offer.faults.push(answer.what);
}

/** What was accepted is answered, however full it is. */
async function askAgain(caller: HttpCaller, offer: Offer, id: string, executionId: string): Promise<void> {
  offer.asked++;
  const answer = await caller.publish(TYPE, id);
  if (answer.kind === 'accepted' && answer.duplicate && answer.executionId === executionId) offer.askedAnswered++;
}

const isTyped = (answer: Extract<Answer, { kind: 'refused' }>): boolean =>
  (answer.status === 503 || answer.status === 429) && ['overloaded', 'rate-limited'].includes(answer.code) && answer.message.startsWith('Expected ') && answer.retryAfterSeconds >= 1;

/** @returns when the last of several probes in a row was as quick as before and nothing was left. */
async function recovered(caller: HttpCaller, ends: Ends, offer: Offer, normalMs: number): Promise<number> {
  const until = performance.now() + RECOVERY_SECONDS_MAX * 1000;
  for (let quick = 0; performance.now() < until;) {
    const open = offer.pending.size > 0 || offer.accepted.some((id) => ends.statusOf(id) === undefined);
    const tookMs = await probe(caller, ends);
    quick = !open && tookMs !== undefined && tookMs <= normalMs ? quick + 1 : 0;
    if (quick === RECOVERED_PROBES) return performance.now();
    if (quick === 0) await sleep(20);
  }
  return Infinity;
}

function violationsOf(offer: Offer, served: number, rate: number, ends: Ends): readonly string[] {
  const violations: string[] = [];
  const reached = offer.offered / offer.seconds;
  if (reached < rate * REACHED) violations.push(`Expected ${rate.toFixed(0)} requests a second to be offered but there were ${reached.toFixed(0)}.`);
  if (offer.faults.length > 0) violations.push(`Expected an answer to every request but ${offer.faults.length} got none, such as: ${offer.faults[0]}.`);
  if (offer.untyped.length > 0) violations.push(`Expected every refusal to be typed and to say when to come back but ${offer.untyped.length} do not, such as ${offer.untyped[0]}.`);
  if (served !== offer.accepted.length) violations.push(`Expected all ${offer.accepted.length} accepted requests to complete but ${served} did.`);
  if (offer.asked !== offer.askedAnswered) violations.push(`Expected all ${offer.asked} accepted requests that were asked again to be answered as before but ${offer.askedAnswered} were.`);
  if (ends.repeated > 0) violations.push(`Expected one result an execution but ${ends.repeated} came again.`);
  return violations;
}

/** What was accepted is there once and completed; what was refused left nothing behind. */
async function checkStore(pool: Pool, offer: Offer): Promise<readonly string[]> {
  const violations: string[] = [];
  const stored = await one<number>(pool, `select count(*)::int from routing.requests where source = '/bench/overload' and request_id = any($1::text[]) and status = 'accepted'`, [offer.acceptedIds]);
  if (stored !== offer.acceptedIds.length) violations.push(`Expected ${offer.acceptedIds.length} stored requests but the store has ${stored}.`);
  const completed = await one<number>(pool, `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status = 'completed'`, [offer.accepted]);
  if (completed !== offer.accepted.length) violations.push(`Expected ${offer.accepted.length} completed executions but the store has ${completed}.`);
  const left = await one<number>(pool, `select count(*)::int from routing.requests where source = '/bench/overload' and request_id = any($1::text[])`, [offer.refused]);
  if (left > 0) violations.push(`Expected nothing of refused requests but the store has ${left}.`);
  return violations;
}
