// Watches every decision as it is written: what must never happen is seen in the act. Numbers are those of the fault matrix.
import type { Instant } from '@weft/kernel';
import { isEnded, waitsOf, type ExecutionCommand, type ExecutionEvent } from '@weft/orchestration/core';
import type { EffectEvent, EffectState } from '@weft/tools/core';
import type { Written } from './execution-table.js';
import { SKEW_MAX_MS } from './process.js';
import type { Schedule } from './schedule.js';

/** What is known of one execution from its rows alone. */
interface Followed {
  sequence: number;
  isEnded: boolean;
  /** Jobs that were scheduled and have no result: (job, generation). */
  readonly open: Set<string>;
  readonly timers: Map<string, Instant>;
  /** Events that came in, and whether they were taken. */
  readonly signals: Map<string, boolean>;
  /** Operations that were carried out. */
  readonly operations: Set<string>;
}

const VIOLATIONS_MAX = 20;

/** What people may still do with an execution that has ended. */
const AFTER_THE_END: ReadonlySet<ExecutionEvent['type'] | undefined> = new Set(['ExecutionRetried', 'ExecutionForked', 'DefinitionMigrated']);

export class Watch {
  readonly violations: string[] = [];
  /** Commands that were handed in to be decided. */
  commands = 0;
  /** Ids of events that were sent to executions. */
  readonly sentSignals = new Set<string>();
  /** Ids of operations that were asked for. */
  readonly askedOperations = new Set<string>();
  /** Results as workers reported them: what is counted must be among them. */
  readonly #reported = new Set<string>();
  /** Jobs whose action a person has just refused: that fails them, whatever attempt a retry had counted them up to. */
  readonly #refused = new Set<string>();
  readonly #followed = new Map<string, Followed>();

  constructor(private readonly schedule: Schedule) {}

  violate(text: string): void {
    this.schedule.note(`VIOLATION ${text}`);
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(text);
  }

  /** Told of every result that a worker gives, whether or not anybody hears it. */
  onResult(command: ExecutionCommand): void {
    if (command.type === 'CompleteJob') this.#reported.add(completedAs(command));
    if (command.type === 'FailJob') this.#reported.add(failedAs({ ...command, attempt: command.attempt ?? 0 }));
  }

  onDecision({ key, sequence, events, after }: Written, at: Instant): void {
    const followed = this.#followed.get(key) ?? { sequence: -1, isEnded: false, open: new Set(), timers: new Map(), signals: new Map(), operations: new Set() };
    this.#followed.set(key, followed);
    if (sequence !== followed.sequence + 1) this.violate(`I4: history of ${key} goes from ${followed.sequence} to ${sequence}`);
    const isOperated = AFTER_THE_END.has(events[0]?.type);
    if (followed.isEnded && !isOperated) this.violate(`I1: ${key} decides after its end: ${events.map(({ type }) => type).join(' ')}`);
    followed.sequence = Math.max(sequence, followed.sequence);
    const [first] = events;
    // What a fork carries was judged where it happened.
    const carried = first?.type === 'ExecutionStarted' ? (first.carried ?? 0) : 0;
    events.forEach((event, ordinal) => this.#onEvent(key, followed, event, at, ordinal > 0 && ordinal <= carried));
    followed.isEnded = isEnded(after);
    if (followed.isEnded && waitsOf(after).size > 0) this.violate(`I6: ${key} has ended and still waits`);
  }

  onEffect(key: string, before: EffectState, events: readonly EffectEvent[]): void {
    for (const event of events)
      if (event.type === 'EffectDispatched' && event.effect === 'non-idempotent-write' && before.status !== 'none')
        this.violate(`I5: ${key} is dispatched again although it may have happened (${before.status})`);
  }

  #onEvent(key: string, { open, timers, signals, operations }: Followed, event: ExecutionEvent, at: Instant, isCarried: boolean): void {
    if ('operation' in event) {
      // What is carried names the execution that was asked, before the id.
      const asked = isCarried ? event.operation.slice(event.operation.lastIndexOf('/') + 1) : event.operation;
      // Whoever started an execution may give it up.
      if (!this.askedOperations.has(asked) && !('by' in event && event.by.startsWith('execution:'))) this.violate(`I2: ${event.type} of ${key} was asked for by nobody`);
      if (operations.has(event.operation) && event.type !== 'ExecutionForked') this.violate(`I2: operation ${event.operation} of ${key} counts a second time`);
      operations.add(event.operation);
    }
    if (isCarried) return this.#onCarried({ open, timers, signals }, event);
    switch (event.type) {
      case 'ReviewDecided':
        if (event.outcome === 'rejected') this.#refused.add(`${key}${event.key}`);
        break;
      case 'JobScheduled':
        open.add(`${event.job} ${event.generation}`);
        break;
      case 'JobCompleted':
      case 'JobFailed':
        if (!open.has(`${event.job} ${event.generation}`)) this.violate(`I2: ${event.type} of ${event.job}, generation ${event.generation}, counts a second time`);
        if (!this.#reported.has(event.type === 'JobCompleted' ? completedAs(event) : failedAs(event)) && !(event.type === 'JobFailed' && this.#refused.delete(event.job)))
          this.violate(`I2: ${event.type} of ${event.job}, generation ${event.generation}, is no result that a worker gave for it`);
        if (event.type === 'JobCompleted' || event.next !== 'ask') open.delete(`${event.job} ${event.generation}`);
        break;
      case 'ChildEnded':
        if (!this.#followed.get(event.child)?.isEnded) this.violate(`I2: ${key} takes child ${event.child} for ended, which it is not`);
        break;
      case 'TimerSet':
        timers.set(event.timer, event.due);
        break;
      case 'TimerFired': {
        const due = timers.get(event.timer);
        if (due === undefined) this.violate(`I6: timer ${event.timer} of ${key} fires and is not set`);
        else if (at < due || this.schedule.now < due - SKEW_MAX_MS) this.violate(`I6: timer ${event.timer} of ${key} fires ${due - Math.min(at, this.schedule.now)} ms before it is due`);
        timers.delete(event.timer);
        break;
      }
      case 'SignalReceived':
        if (signals.has(event.id)) this.violate(`I2: ${key} receives signal ${event.id} a second time`);
        if (!this.sentSignals.has(event.id)) this.violate(`I2: ${key} receives signal ${event.id}, which nobody sent`);
        signals.set(event.id, false);
        break;
      case 'SignalTaken':
        if (signals.get(event.id) !== false) this.violate(`I2: ${key} takes signal ${event.id}, which is ${signals.has(event.id) ? 'taken' : 'not there'}`);
        signals.set(event.id, true);
        break;
      default:
    }
  }

  #onCarried({ open, timers, signals }: Pick<Followed, 'open' | 'timers' | 'signals'>, event: ExecutionEvent): void {
    if (event.type === 'JobScheduled') open.add(`${event.job} ${event.generation}`);
    if (event.type === 'TimerSet') timers.set(event.timer, event.due);
    if (event.type === 'SignalReceived') signals.set(event.id, false);
    if (event.type === 'SignalTaken') signals.set(event.id, true);
  }
}

const completedAs = ({ job, generation, output }: { readonly job: string; readonly generation: number; readonly output: unknown }): string => `${job} ${generation} ${JSON.stringify(output)}`;
const failedAs = ({ job, generation, attempt }: { readonly job: string; readonly generation: number; readonly attempt: number }): string => `${job} ${generation} failed ${attempt}`;
