// Parked: what an execution costs while it waits, how late its timer is, and how fast it goes on when it gets a signal.
import { contextOf, DEFAULT_TENANT, type Command, type DefinitionRef } from '@weft/contracts';
import type { Pool } from '@weft/adapter-postgres';
import { setTimeout as sleep } from 'node:timers/promises';
import { FootprintMeter } from './footprint.js';
import { Checks, durabilityOf, EVENTS, one, type Durability } from './history-check.js';
import { LoadGenerator, startCommand } from './load.js';
import { ascending, percentile, rounded } from './percentile.js';
import type { ProcessTarget } from './target.js';

export interface ParkedOptions {
  /** Executions to park: half of them on a timer, half on a signal. */
  readonly count: number;
  /** Executions that are resumed at once. */
  readonly concurrency: number;
  /** Seconds between the last one parked and the measurement of memory. */
  readonly settleSeconds: number;
  readonly onProgress: (text: string) => void;
}

export interface ParkedReport extends Durability {
  readonly workload: 'parked';
  readonly profile: string;
  readonly count: number;
  readonly concurrency: number;
  /** (PSS of all processes of Weft and PostgreSQL after - before) / count. */
  readonly kibPerParked: number;
  readonly kibPerParkedWeft: number;
  readonly kibPerParkedPostgres: number;
  readonly parkedPerSecond: number;
  /** Of `timers` timers that fell due one after the other while all the others were pending. */
  readonly timers: number;
  readonly timerLatenessP50Ms: number;
  readonly timerLatenessP99Ms: number;
  /** From sending the signal to seeing the result, one at a time. */
  readonly signals: number;
  readonly signalP50Ms: number;
  readonly signalP99Ms: number;
  readonly resumed: number;
  readonly resumedPerSecond: number;
  readonly violations: readonly string[];
}

// With everything open: connections, plans, caches and the server's buffers are not the price of a parked execution.
const WARM_UP = 4_000;
const CHUNK = 2_000;
const SEND = 128;
const LOOK_MS = 50;
const SILENCE_MS_MAX = 120_000;
const TIMERS_MAX = 5_000;
const TIMERS_PER_SECOND = 250;
const SIGNALS_MAX = 1_000;
const RESUMED_MAX = 30_000;

export async function runParked(target: ProcessTarget, options: ParkedOptions): Promise<ParkedReport> {
  const { count, concurrency, settleSeconds, onProgress } = options;
  const { pool } = target;
  const [chain, timerLong, timerSoon, signal] = [await target.deploy('chain'), await target.deploy('timer-long'), await target.deploy('timer-soon'), await target.deploy('signal')];
  const load = await LoadGenerator.at(target.door);
  const meter = await FootprintMeter.of(target.pids, pool);

  onProgress('warming up');
  await load.run(chain, { n: 0 }, { count: WARM_UP, concurrency: 256 });
  const warm = await park(target, [timerSoon, signal], Math.min(2_000, count), () => undefined);
  await load.drive(signalsTo(warm.filter((_, index) => index % 2 === 1)), { count: Math.floor(warm.length / 2), concurrency: 64 });
  // As long as after the last one parked: a heap that has just worked is larger than one that rests.
  await sleep(settleSeconds * 1000);
  const before = meter.now();

  const startedAt = performance.now();
  const parked = await park(target, [timerLong, signal], count, (done) => onProgress(`${done} of ${count} parked`));
  const parkedPerSecond = count / ((performance.now() - startedAt) / 1000);
  onProgress(`all parked; memory is measured in ${settleSeconds} s`);
  await sleep(settleSeconds * 1000);
  const after = meter.now();
  const [weft, postgres] = [(after.weftKib - before.weftKib) / count, (after.postgresKib - before.postgresKib) / count];

  const timers = Math.min(TIMERS_MAX, count);
  onProgress(`${timers} timers fall due`);
  const timed = await startAtRate(target, timerSoon, timers, TIMERS_PER_SECOND);
  await allEnded(pool, timed);
  const lateness = await latenessOf(pool, timed);

  const listening = parked.filter((_, index) => index % 2 === 1);
  const signals = Math.min(SIGNALS_MAX, Math.ceil(listening.length / 4));
  onProgress(`${signals} signals, one at a time`);
  const alone = await load.drive(signalsTo(listening.slice(0, signals)), { count: signals, concurrency: 1 });
  const many = listening.slice(signals, signals + RESUMED_MAX);
  onProgress(`${many.length} signals, ${concurrency} at a time`);
  const atOnce = await load.drive(signalsTo(many), { count: many.length, concurrency });

  const resumedIds = [...alone.executionIds, ...atOnce.executionIds];
  return {
    workload: 'parked',
    profile: target.profile,
    count,
    concurrency,
    kibPerParked: rounded(weft + postgres),
    kibPerParkedWeft: rounded(weft),
    kibPerParkedPostgres: rounded(postgres),
    parkedPerSecond: rounded(parkedPerSecond),
    timers,
    timerLatenessP50Ms: rounded(percentile(lateness, 0.5)),
    timerLatenessP99Ms: rounded(percentile(lateness, 0.99)),
    signals,
    signalP50Ms: rounded(percentile(alone.latenciesMs, 0.5)),
    signalP99Ms: rounded(percentile(alone.latenciesMs, 0.99)),
    resumed: many.length,
    resumedPerSecond: rounded(many.length / atOnce.seconds),
    ...(await durabilityOf(pool)),
    violations: [...(await checkTimers(pool, timed)), ...(await checkResumed(pool, resumedIds)), ...(await checkStillParked(pool, parked, resumedIds))],
  };
}

/** Starts executions of the definitions in turn and waits until each has its wait row. */
async function park(target: ProcessTarget, definitions: readonly DefinitionRef[], count: number, onProgress: (done: number) => void): Promise<readonly string[]> {
  const ids: string[] = [];
  const before = await one<number>(target.pool, 'select count(*)::int from orchestration.waits');
  while (ids.length < count) {
    const commands = Array.from({ length: Math.min(CHUNK, count - ids.length) }, (_, index) => startCommand(definitions[(ids.length + index) % definitions.length]!, '{}'));
    ids.push(...commands.map(({ executionId }) => executionId));
    const sent: Promise<void>[] = [];
    for (let from = 0; from < commands.length; from += SEND) sent.push(target.door.send(commands.slice(from, from + SEND)));
    await Promise.all(sent);
    // Bounded, so that what is measured is not a queue.
    await until(
      async () => (await one<number>(target.pool, 'select count(*)::int from orchestration.waits')) - before,
      (waits) => waits >= ids.length - CHUNK / 2,
      'wait rows',
    );
    if (ids.length % (CHUNK * 5) === 0) onProgress(ids.length);
  }
  await until(
    async () => (await one<number>(target.pool, 'select count(*)::int from orchestration.waits')) - before,
    (waits) => waits >= count,
    'wait rows',
  );
  return ids;
}

async function until(ask: () => Promise<number>, isEnough: (value: number) => boolean, what: string): Promise<void> {
  let [last, changedAt] = [-1, performance.now()];
  for (;;) {
    const value = await ask();
    if (isEnough(value)) return;
    if (value !== last) [last, changedAt] = [value, performance.now()];
    if (performance.now() - changedAt > SILENCE_MS_MAX) throw new Error(`Expected more ${what} but there are ${value} for ${SILENCE_MS_MAX / 1000} s.`);
    await sleep(LOOK_MS);
  }
}

/** Starts executions evenly spread over time, so that their timers fall due the same way. */
async function startAtRate(target: ProcessTarget, definition: DefinitionRef, count: number, perSecond: number): Promise<readonly string[]> {
  const ids: string[] = [];
  const startedAt = performance.now();
  while (ids.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1);
    const commands = Array.from({ length: due - ids.length }, () => startCommand(definition, '{}'));
    ids.push(...commands.map(({ executionId }) => executionId));
    if (commands.length > 0) await target.door.send(commands);
    await sleep(4);
  }
  return ids;
}

async function allEnded(pool: Pool, ids: readonly string[]): Promise<void> {
  const ask = (): Promise<number> => one(pool, `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status <> 'running'`, [ids]);
  await until(ask, (ended) => ended >= ids.length, 'ended executions');
}

/** Milliseconds from when each timer was due until the decision that it fired, ascending. */
async function latenessOf(pool: Pool, ids: readonly string[]): Promise<readonly number[]> {
  const { rows } = await pool.query<{ late: number }>(
    `with e as (${EVENTS})
    select (extract(epoch from fired.recorded_at) * 1000 - (timer.value ->> 'due')::float8)::float8 as late
    from e timer join e fired on fired.execution_id = timer.execution_id and fired.value ->> 'timer' = timer.value ->> 'timer'
    where timer.type = 'TimerSet' and fired.type = 'TimerFired'`,
    [ids],
  );
  return rows.map(({ late }) => late).sort(ascending);
}

/** The signals that let these executions go on. */
function signalsTo(ids: readonly string[]): (index: number) => Command {
  const context = contextOf({ tenant: DEFAULT_TENANT, actor: 'service:bench', purpose: 'bench' });
  return (index) => {
    const executionId = ids[index]!;
    const event = { specversion: '1.0', id: `go-on/${executionId}`, source: '/bench', type: 'bench.go-on.v1', data: { go: true } };
    return { id: `signal/${executionId}`, executionId, context: { ...context, executionId }, receiveSignal: { eventJson: JSON.stringify(event), isCorrelated: false, hops: 0 } };
  };
}

async function checkTimers(pool: Pool, ids: readonly string[]): Promise<readonly string[]> {
  const checks = new Checks(pool, ids);
  await checks.expect(ids.length, 'timers fired', `select count(*)::int from (${EVENTS}) e where type = 'TimerFired'`);
  await checks.expect(0, 'timers fired twice', `select count(*)::int from (select 1 from (${EVENTS}) e where type = 'TimerFired' group by execution_id, key having count(*) > 1) x`);
  await checks.expect(ids.length, 'completed executions behind a timer', `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status = 'completed'`);
  const early = (await latenessOf(pool, ids)).filter((late) => late < 0).length;
  return early > 0 ? [...checks.violations, `Expected no timer before its time but ${early} fired early.`] : checks.violations;
}

async function checkResumed(pool: Pool, ids: readonly string[]): Promise<readonly string[]> {
  const checks = new Checks(pool, ids);
  await checks.expect(ids.length, 'signals received', `select count(*)::int from (${EVENTS}) e where type = 'SignalReceived'`);
  await checks.expect(ids.length, 'signals taken', `select count(*)::int from (${EVENTS}) e where type = 'SignalTaken'`);
  await checks.expect(0, 'signals taken twice', `select count(*)::int from (select 1 from (${EVENTS}) e where type = 'SignalTaken' group by execution_id having count(*) > 1) x`);
  await checks.expect(ids.length, 'completed executions behind a signal', `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status = 'completed'`);
  await checks.expect(0, 'wait rows of completed executions', `select count(*)::int from orchestration.waits where execution_id = any($1::uuid[])`);
  return checks.violations;
}

/** The others are where they were: parked, each with one wait row. */
async function checkStillParked(pool: Pool, parked: readonly string[], resumedIds: readonly string[]): Promise<readonly string[]> {
  const resumed = new Set(resumedIds);
  const ids = parked.filter((id) => !resumed.has(id));
  const checks = new Checks(pool, ids);
  await checks.expect(ids.length, 'executions still parked', `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and status = 'running'`);
  await checks.expect(ids.length, 'wait rows of executions still parked', `select count(*)::int from orchestration.waits where execution_id = any($1::uuid[])`);
  return checks.violations;
}
