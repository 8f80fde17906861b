// Starts executions that nobody asked for: at their time, when their events come, or because a person triggers them.
import type { Query } from '@weft/adapter-postgres';
import { contextOf, type Context } from '@weft/contracts';
import { derivedUuid, refuse, uuidv7, type Instant, type Json, type JsonObject } from '@weft/kernel';
import { compileTrigger, dueAfter, isStarted, timedSchedule, type CatchUp, type CommandOf, type Trigger } from '@weft/orchestration/core';
import type { Clock, Item } from '@weft/pipeline';
import { drawBytes } from '../persist/random-pool.js';
import type { EventStart, ScheduleEvents } from '../persist/schedule-events.js';
import { originOf, withOrigin, withoutOrigin } from '../persist/event-origin.js';
import type { DueSchedule, ScheduleName, ScheduleStore, StoredSchedule } from '../persist/schedule-store.js';
import type { ExecutionEngine } from './execution-engine.js';

type Start = CommandOf<'StartExecution'>;
type Signal = CommandOf<'ReceiveSignal'>;

/** Where requests come from that schedules stand for. */
export const scheduleSource = ({ namespace, name }: Pick<StoredSchedule, 'namespace' | 'name'>): string => `/weft/schedules/${namespace}/${name}`;

export class Scheduling {
  readonly #triggers = new Map<string, Trigger>();

  constructor(
    private readonly engine: ExecutionEngine,
    readonly store: ScheduleStore,
    private readonly events: ScheduleEvents,
    private readonly clock: Clock,
    private readonly catchUp: CatchUp,
  ) {}

  /** Takes over the schedules of a version that is deployed, in the transaction that stores it. */
  deployed(query: Query, of: ScheduleName, version: Pick<StoredSchedule, 'version' | 'digest'>, document: Json): Promise<void> {
    return this.store.deployed(query, of, version, document, this.clock.now());
  }

  /** Starts what is due. The execution's id follows from the schedule and the time: done twice, it is done once. */
  async fireDue(): Promise<void> {
    await this.store.setAfterEnds();
    const claimed = await this.store.claimDue();
    for (const due of claimed) await this.#fire(due);
  }

  async #fire(schedule: DueSchedule): Promise<void> {
    if (schedule.kind === 'on') return;
    const timed = timedSchedule(schedule.kind, JSON.parse(schedule.given) as Json);
    const now = this.clock.now();
    const next = dueAfter(timed, schedule.due, now, this.catchUp);
    if (!isStarted(schedule.due, now, this.catchUp) && schedule.kind !== 'after') return this.store.done(schedule, next);
    const at = new Date(schedule.due).toISOString();
    const { tenant, namespace, name, kind } = schedule;
    const executionId = derivedUuid(schedule.due, `${tenant}/${namespace}/${name}/${kind}/${at}`);
    await this.#start([startOf(schedule, executionId, { id: `${kind}/${at}`, type: 'ai.weft.schedule.due.v1', input: {} })]);
    return this.store.done(schedule, next, { at: now, executionId });
  }

  /** Starts what events are for. @returns by event, the executions that began. */
  async takeEvents(tenant: string, signals: readonly Signal[]): Promise<readonly (readonly string[])[]> {
    const starts = await this.keepEvents(tenant, signals);
    await this.startAll(starts.flat());
    return starts.map((each) => each.map(({ executionId }) => executionId));
  }

  /** Keeps events for what they are to start, by event: from then on it is started, whoever does it. */
  async keepEvents(tenant: string, signals: readonly Signal[]): Promise<readonly (readonly EventStart[])[]> {
    const schedules = (await this.store.list(tenant)).filter(({ kind, paused }) => kind === 'on' && !paused);
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

  #triggerOf({ digest, given }: StoredSchedule): Trigger {
    const known = this.#triggers.get(digest) ?? compileTrigger(JSON.parse(given) as JsonObject);
    this.#triggers.set(digest, known);
    return known;
  }

  /** Starts what events were taken for, and what a former process had taken them for. */
  async startAll(starts: readonly EventStart[]): Promise<void> {
    if (starts.length === 0) return;
    await this.#start(
      starts.map((start) => {
        const [first] = start.events;
        const { source = '', id = start.executionId } = (first?.event ?? {}) as { readonly source?: string; readonly id?: string };
        const origins = start.events.map(({ event }) => originOf(event));
        const taint = [...new Set(start.events.flatMap(({ source: from }, at) => [...origins[at]!.taint, `event:${from}`]))];
        const hops = Math.max(0, ...origins.map((origin) => origin.hops));
        const request = { id: `on/${source}/${id}`, type: 'ai.weft.schedule.event.v1', input: start.events.map(({ event }) => withoutOrigin(event)) };
        return { ...startOf(start, start.executionId, request, taint), ...(hops > 0 ? { hops } : {}) };
      }),
    );
    await this.events.started(starts.map(({ executionId }) => executionId));
  }

  async takeUpUnstarted(): Promise<void> {
    await this.startAll(await this.events.unstarted());
    await this.events.forgetOld();
  }

  /** Starts the definition of a schedule now. @returns the id of the execution. */
  async trigger(schedule: StoredSchedule, operationId: string, input: Json | undefined, { actor, traceparent, tracestate }: Context): Promise<string> {
    const { tenant, namespace, name } = schedule;
    const executionId = operationId === '' ? uuidv7(this.clock.now(), drawBytes(10)) : derivedUuid(0, `${tenant}/${namespace}/${name}/trigger/${operationId}`);
    const request = { id: `trigger/${operationId || executionId}`, type: 'ai.weft.schedule.triggered.v1', input: input ?? (schedule.kind === 'on' ? [] : {}) };
    const start = startOf(schedule, executionId, request);
    await this.#start([{ ...start, context: { ...start.context, actor, traceparent, tracestate } }]);
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

  async #start(commands: readonly Start[]): Promise<void> {
    const items = commands.map((command): Item<Start> => ({ key: command.executionId, command, messageId: `schedule/${command.executionId}` }));
    const outcomes = await this.engine.submit(items);
    for (const outcome of outcomes) if (outcome.kind === 'setAside') throw outcome.fault;
  }
}

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
