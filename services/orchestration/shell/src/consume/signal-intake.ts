// Events from outside to executions: addressed to one, or to whoever listens for what they carry. A batch is one batch all the way.
import type { Context, EventReceipt, Failure, SignalReceipt } from '@weft/contracts';
import { isUuid, Refused, rejection, type Rejection } from '@weft/kernel';
import { EVENT_VALUES_MAX, listenKeysOf, type CommandOf } from '@weft/orchestration/core';
import type { Item, Outcome } from '@weft/pipeline';
import type { ExecutionEngine } from '../handle/execution-engine.js';
import type { Listeners } from '../publish/emitted-events.js';
import { signalCommand } from './command.codec.js';

type SignalCommand = CommandOf<'ReceiveSignal'>;

/** Starts what events are for; by event, the executions that began. */
export type StartByEvents = (tenant: string, events: readonly SignalCommand[]) => Promise<readonly (readonly string[])[]>;

const EXECUTIONS_TOLD_MAX = 100;

export class SignalIntake {
  constructor(
    private readonly engine: ExecutionEngine,
    private readonly find: Listeners,
    private readonly start: StartByEvents = async (_tenant, events) => events.map(() => []),
  ) {}

  /** Gives events to the executions that they name. Resolves when they are durable, with a receipt each. */
  async signal(events: readonly { readonly executionId: string; readonly eventJson: string }[], context: Context): Promise<SignalReceipt[]> {
    const readings = events.map(({ executionId, eventJson }) => (isUuid(executionId) ? read(eventJson, context, false) : unknownExecution(executionId)));
    const items = readings.flatMap((reading, index) => ('command' in reading ? [itemOf(events[index]!.executionId, reading.command)] : []));
    const outcomes = (await this.engine.submit(items)).values();
    return readings.map((reading) => ('command' in reading ? receiptOf(outcomes.next().value!) : { duplicate: false, refusal: failureOf(reading.refusal) }));
  }

  /** Gives events to every execution of the tenant that listens for them, and starts those that they are to start. Resolves when they are durable, with a receipt each. */
  async publish(eventTexts: readonly string[], context: Context): Promise<EventReceipt[]> {
    const readings = eventTexts.map((text) => readKeyed(text, context));
    const byKey = new Map<string, number[]>();
    readings.forEach((reading, index) => 'keys' in reading && new Set(reading.keys).forEach((key) => byKey.set(key, [...(byKey.get(key) ?? []), index])));
    const listens = byKey.size === 0 ? [] : await this.find(context.tenant, [...byKey.keys()]);
    // An execution may listen several times for what one event carries: it is asked once.
    const asked = new Map<string, { readonly event: number; readonly executionId: string }>();
    for (const { executionId, correlation } of listens) for (const event of byKey.get(correlation) ?? []) asked.set(`${event}/${executionId}`, { event, executionId });
    const wanted = [...asked.values()].sort((left, right) => left.event - right.event);
    const outcomes = await this.engine.submit(wanted.map(({ event, executionId }) => itemOf(executionId, (readings[event] as Keyed).command)));
    const takers = readings.map((): string[] => []);
    outcomes.forEach((outcome, index) => outcome.kind === 'accepted' && takers[wanted[index]!.event]!.push(wanted[index]!.executionId));
    const keyed = readings.flatMap((reading, index) => ('keys' in reading ? [{ index, command: reading.command }] : []));
    const begun = await this.start(
      context.tenant,
      keyed.map(({ command }) => command),
    );
    keyed.forEach(({ index }, at) => takers[index]!.push(...(begun[at] ?? [])));
    return readings.map((reading, index) => {
      const taken = takers[index]!;
      return { taken: taken.length, executionIds: taken.slice(0, EXECUTIONS_TOLD_MAX), refusal: 'refusal' in reading ? failureOf(reading.refusal) : undefined };
    });
  }
}

type Reading = { readonly command: SignalCommand } | { readonly refusal: Rejection };
type Keyed = { readonly command: SignalCommand; readonly keys: readonly string[] };

function read(eventJson: string, context: Context, isCorrelated: boolean): Reading {
  try {
    return { command: signalCommand(eventJson, context, isCorrelated) };
  } catch (fault) {
    if (fault instanceof Refused) return { refusal: fault.rejection };
    return { refusal: rejection('request-invalid', `Expected a CloudEvent as JSON but it is not JSON: ${fault instanceof Error ? fault.message : String(fault)}.`) };
  }
}

function readKeyed(eventJson: string, context: Context): Keyed | { readonly refusal: Rejection } {
  const reading = read(eventJson, context, true);
  if ('refusal' in reading) return reading;
  const keys = listenKeysOf(reading.command.eventType, reading.command.event);
  if (keys) return { ...reading, keys };
  return { refusal: rejection('request-invalid', `Expected an event with at most ${EVENT_VALUES_MAX} values, or one that is addressed to an execution, but it has more.`) };
}

const itemOf = (key: string, command: SignalCommand): Item<SignalCommand> => ({ key, command, messageId: `signal/${key}/${command.source}/${command.id}` });

function receiptOf(outcome: Outcome): SignalReceipt {
  if (outcome.kind === 'rejected') return { duplicate: false, refusal: failureOf(outcome.rejection) };
  if (outcome.kind === 'setAside')
    return {
      duplicate: false,
      refusal: failureOf(rejection('message-refused', `Expected an execution that can take an event but ${outcome.fault instanceof Error ? outcome.fault.message : String(outcome.fault)}.`)),
    };
  return { duplicate: outcome.kind === 'ignored', refusal: undefined };
}

const unknownExecution = (id: string): Reading => ({ refusal: rejection('unknown-execution', `Expected the id of an execution of this tenant but ${JSON.stringify(id.slice(0, 60))} is none.`) });

const failureOf = ({ code, message, retryable, retryAfterMs = 0, details }: Rejection): Failure => ({ code, message, retryable, retryAfterMs, detailsJson: details ? JSON.stringify(details) : '' });
