// Starts executions that nobody asked for: at their time, when their events come, or because a person triggers them.
import type { Query } from '@weft/adapter-postgres';
import { contextOf, type Context } from '@weft/contracts';
import { derivedUuid, refuse, uuidv7, type Instant, type Json, type JsonObject } from '@weft/kernel';
import { compileTrigger, dueAfter, isStarted, timedSchedule, type CatchUp, type CommandOf, type Trigger } from '@weft/orchestration/core';
import type { Clock, Item } from '@weft/pipeline';
import { drawBytes } from '../persist/random-pool.js';
import { UNSTARTED_PAGE, type EventStart, type ScheduleEvents } from '../persist/schedule-events.js';
import { originOf, withOrigin, withoutOrigin } from '../persist/event-origin.js';
import { CLAIMED_MAX, type DealtWith, type DueSchedule, type ScheduleName, type ScheduleStore, type StoredSchedule } from '../persist/schedule-store.js';
import type { ExecutionEngine } from './execution-engine.js';

type Start = CommandOf<'StartExecution'>;
type Signal = CommandOf<'ReceiveSignal'>;

/** Where requests come from that schedules stand for. */
export const scheduleSource = ({ namespace, name }: Pick<StoredSchedule, 'namespace' | 'name'>): string => `/weft/schedules/${namespace}/${name}`;

// Rounds of claims in one look: a process that is to stop is not kept for longer.
const ROUNDS_MAX = 20;
const TRIGGERS_KEPT_MAX = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export class Scheduling {
  readonly #triggers = new Map<string, Trigger>();

  constructor(
    private readonly engine: ExecutionEngine,
    readonly store: ScheduleStore,
    private readonly events: ScheduleEvents,
    private readonly clock: Clock,
    private readonly catchUp: CatchUp,
    private readonly onFault: (fault: unknown, what: string) => void,
  ) {}

  /** Takes over the schedules of a version that is deployed, in the transaction that stores it. */
  deployed(query: Query, of: ScheduleName, version: Pick<StoredSchedule, 'version' | 'digest'>, document: Json): Promise<void> {
    return this.store.deployed(query, of, version, document, this.clock.now());
  }

  /** Starts what is due. The execution's id follows from the schedule and the time: done twice, it is done once. @param upTo by the store's clock unless it is given. */
  async fireDue(upTo?: Instant): Promise<void> {
    await this.store.setAfterEnds();
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const claimed = await this.store.claimDue(upTo);
      await this.#fire(claimed);
      if (claimed.length < CLAIMED_MAX) return;
    }
  }

  /** What cannot be started keeps none of the others back: it stays claimed, and is tried again once that is over. */
  async #fire(claimed: readonly DueSchedule[]): Promise<void> {
    const firings = claimed.flatMap((schedule): readonly Firing[] => {
      try {
        return firingOf(schedule, this.clock.now(), this.catchUp);
      } catch (fault) {
        this.onFault(fault, `reading the schedule ${nameOf(schedule)}`);
        return [];
      }
    });
    const starting = firings.flatMap(({ start }) => start ?? []);
    const failed = await this.#tryStart(starting);
    await this.store.done(firings.flatMap(({ start, ...dealt }) => (start && failed.has(start.executionId) ? [] : [dealt])));
  }

  /** Starts what events are for. @returns by event, the executions that began. */
  async takeEvents(tenant: string, signals: readonly Signal[]): Promise<readonly (readonly string[])[]> {
    const starts = await this.keepEvents(tenant, signals);
    await this.startAll(starts.flat());
    return starts.map((each) => each.map(({ executionId }) => executionId));
  }

  /** Keeps events for what they are to start, by event: from then on it is started, whoever does it. */
  async keepEvents(tenant: string, signals: readonly Signal[]): Promise<readonly (readonly EventStart[])[]> {
    const schedules = await this.store.ofEvents(tenant);
    if (schedules.length === 0) return signals.map(() => []);
    const kept: EventStart[][] = [];
    for (const signal of signals) {
      const starts: EventStart[] = [];
      for (const schedule of schedules) starts.push(...(await this.#keep(schedule, signal)));
      kept.push(starts);
    }
    return kept;
  }

  async #keep(schedule: StoredSchedule, { source, id, event, hops = 0, taint }: Signal): Promise<readonly EventStart[]> {
    const trigger = this.#triggerOf(schedule);
    if (!trigger) return [];
    const now = this.clock.now();
    const starts: EventStart[] = [];
    for (const { filter, correlation } of trigger.match(event, now)) {
      const executionId = uuidv7(now, drawBytes(10));
      const start = await this.events.keep(
        { schedule, filter: trigger.isAll ? filter : 0, source, id, correlation, event: withOrigin(event, { hops, taint: [...taint] }) },
        trigger.isAll ? trigger.filters : 1,
        executionId,
      );
      if (start) starts.push(start);
    }
    return starts;
  }

  /** Undefined where it cannot be read: it starts nothing, and keeps events from nobody else. */
  #triggerOf(schedule: StoredSchedule): Trigger | undefined {
    const { digest, given } = schedule;
    const known = this.#triggers.get(digest);
    if (known) return known;
    try {
      const trigger = compileTrigger(JSON.parse(given) as JsonObject);
      if (this.#triggers.size >= TRIGGERS_KEPT_MAX) this.#triggers.clear();
      this.#triggers.set(digest, trigger);
      return trigger;
    } catch (fault) {
      this.onFault(fault, `reading the schedule ${nameOf(schedule)}`);
      return undefined;
    }
  }

  /** Starts what events were taken for, and what a former process had taken them for. */
  async startAll(starts: readonly EventStart[]): Promise<void> {
    const failed = await this.#tryStart(starts.map(startOfEvents));
    await this.events.started(starts.flatMap(({ executionId }) => (failed.has(executionId) ? [] : [executionId])));
  }

  async takeUpUnstarted(): Promise<void> {
    for (let after = FIRST_ID; ;) {
      const starts = await this.events.unstarted(after);
      await this.startAll(starts);
      if (starts.length < UNSTARTED_PAGE) break;
      after = starts.at(-1)!.executionId;
    }
    await this.events.forgetOld();
  }

  /** Starts the definition of a schedule now. @returns the id of the execution. */
  async trigger(schedule: StoredSchedule, operationId: string, input: Json | undefined, { actor, traceparent, tracestate }: Context): Promise<string> {
    const fresh = uuidv7(this.clock.now(), drawBytes(10));
    const executionId = operationId === '' ? fresh : await this.events.triggered(schedule, operationId, fresh);
    const request = { id: `trigger/${operationId || executionId}`, type: 'ai.weft.schedule.triggered.v1', input: input ?? (schedule.kind === 'on' ? [] : {}) };
    const start = startOf(schedule, executionId, request);
    await this.#start({ ...start, context: { ...start.context, actor, traceparent, tracestate } });
    return executionId;
  }

  /** Pauses or resumes every kind of schedule of a definition. */
  async change(schedules: readonly StoredSchedule[], paused: boolean, by: string, reason: string): Promise<void> {
    const at: Instant = this.clock.now();
    for (const schedule of schedules) {
      if (schedule.paused === paused) continue;
      // What went by while it was paused was not to happen.
      const due =
        paused || schedule.due === null || schedule.due > at || schedule.kind === 'on'
          ? undefined
          : (dueAfter(timedSchedule(schedule.kind, JSON.parse(schedule.given) as Json), schedule.due, at, 'one') ?? at);
      if (!(await this.store.change(schedule, { paused, by, reason, at, due, commitId: uuidv7(at, drawBytes(10)) })))
        refuse('conflict', 'Expected a schedule that nobody else changes at the same time but somebody did. Look at it again.', { retryable: true });
    }
  }

  async #start(command: Start): Promise<void> {
    for (const fault of (await this.#submit([command])).values()) throw fault;
  }

  /** @returns those that could not be started. */
  async #tryStart(commands: readonly Start[]): Promise<ReadonlyMap<string, unknown>> {
    const failed = await this.#submit(commands);
    for (const [executionId, fault] of failed) this.onFault(fault, `starting execution ${executionId} of a schedule`);
    return failed;
  }

  async #submit(commands: readonly Start[]): Promise<ReadonlyMap<string, unknown>> {
    const items = commands.map((command): Item<Start> => ({ key: command.executionId, command, messageId: `schedule/${command.executionId}` }));
    const outcomes = await this.engine.submit(items);
    return new Map(outcomes.flatMap((outcome, at) => (outcome.kind === 'setAside' ? [[commands[at]!.executionId, outcome.fault] as const] : [])));
  }
}

/** What becomes of a time that is due, and what it starts. */
type Firing = DealtWith & { readonly start?: Start };

function firingOf(schedule: DueSchedule, now: Instant, catchUp: CatchUp): readonly Firing[] {
  const { tenant, namespace, name, kind, due, given } = schedule;
  if (kind === 'on') return [];
  const next = dueAfter(timedSchedule(kind, JSON.parse(given) as Json), due, now, catchUp);
  if (!isStarted(due, now, catchUp) && kind !== 'after') return [{ schedule, next }];
  const at = new Date(due).toISOString();
  const executionId = derivedUuid(due, `${tenant}/${namespace}/${name}/${kind}/${at}`);
  const start = startOf(schedule, executionId, { id: `${kind}/${at}`, type: 'ai.weft.schedule.due.v1', input: {} });
  return [{ schedule, next, started: { at: now, executionId }, start }];
}

function startOfEvents(start: EventStart): Start {
  const [first] = start.events;
  const { source = '', id = start.executionId } = (first?.event ?? {}) as { readonly source?: string; readonly id?: string };
  const origins = start.events.map(({ event }) => originOf(event));
  const taint = [...new Set(start.events.flatMap(({ source: from }, at) => [...origins[at]!.taint, `event:${from}`]))];
  const hops = Math.max(0, ...origins.map((origin) => origin.hops));
  const request = { id: `on/${source}/${id}`, type: 'ai.weft.schedule.event.v1', input: start.events.map(({ event }) => withoutOrigin(event)) };
  return { ...startOf(start, start.executionId, request, taint), ...(hops > 0 ? { hops } : {}) };
}

const nameOf = ({ namespace, name, kind }: StoredSchedule): string => `${namespace}/${name} (${kind})`;

function startOf(
  schedule: Pick<StoredSchedule, 'tenant' | 'namespace' | 'name' | 'version' | 'digest'>,
  executionId: string,
  { input, ...request }: { readonly id: string; readonly type: string; readonly input: Json },
  taint: readonly string[] = [],
): Start {
  const { tenant, namespace, name, version, digest } = schedule;
  const { purpose, traceparent, tracestate, deadlineMs } = contextOf({ tenant, purpose: 'schedule' });
  const context = { tenant, actor: `schedule:${namespace}/${name}`, purpose, traceparent, tracestate, deadlineMs };
  return { type: 'StartExecution', executionId, definition: { namespace, name, version, digest }, request: { source: scheduleSource(schedule), ...request }, context, taint, models: [], input };
}
