// Tells the world what was decided: results, lifecycle and emitted events. Ids derive from history, so telling twice is telling once.
import { announcementsOf, taskAnnouncements, type Announcement, type BeforeRow, type EmittedEvent, type ExecutionEvent, type ExecutionFacts } from '@weft/orchestration/core';
import { Command, TOPICS } from '@weft/contracts';
import { childCommand, endCommand } from '../consume/child.codec.js';
import type { HandledCommands } from '../consume/handled-commands.js';
import { outgoing, type Bus, type Outgoing } from '@weft/pipeline';
import type { Instant } from '@weft/kernel';
import { deliveriesOf, type Emission, type Listeners } from './emitted-events.js';
import { contextOfExecution } from './job.codec.js';
import { lifecycleFields, qualifiedName, type LifecycleProfile } from './lifecycle-event.js';

/** One history row whose announcements are to be published. */
export interface Announced {
  /** When it was recorded. */
  readonly at: Instant;
  readonly facts: ExecutionFacts;
  readonly sequence: number;
  /** The state before it. */
  readonly before?: BeforeRow;
  readonly events: readonly ExecutionEvent[];
}

const SOURCE = '/weft/orchestration';

export interface AnnounceOptions {
  /** Without them emitted events are only published. */
  readonly listeners?: Listeners;
  /** Told of emitted events that may start something; resolves when that is durable. */
  readonly onEmitted?: (emissions: readonly Emission[]) => Promise<void>;
  /** Where the bus dies with its process: what has been handled of the commands that go over it. */
  readonly handled?: HandledCommands;
  /** Default 1.0.3. */
  readonly profile?: LifecycleProfile;
  /** Whether tasks are told of too. Default: workflows alone. */
  readonly tasks?: boolean;
}

/** What was announced. */
export interface Told {
  readonly messages: number;
  /** Resolves when what was told can get lost no more. Undefined: it cannot. */
  readonly safe?: Promise<void>;
}

/** Publishes what the rows announce, and gives emitted events to whoever listens. */
export async function announce(bus: Bus, rows: readonly Announced[], { listeners, onEmitted, handled, profile, tasks = false }: AnnounceOptions = {}): Promise<Told> {
  const messages: Outgoing[] = [];
  const emissions: Emission[] = [];
  for (const { sequence, events, before, ...of } of rows) {
    for (const announcement of [...announcementsOf(of.facts, sequence, events, before), ...(tasks ? tasksTold(of.facts, sequence, events, before) : [])]) {
      messages.push(messageOf(of, announcement, profile));
      if (announcement.to === 'lifecycle' && announcement.emitted) emissions.push({ ...announcement.emitted, ...of });
    }
  }
  if (listeners && emissions.length > 0) messages.push(...(await deliveriesOf(emissions, listeners)));
  const commands = handled ? messages.filter(({ topic }) => topic === TOPICS.commands.name).map(({ envelope }) => envelope.id) : [];
  const safe = commands.length > 0 ? handled!.all(commands) : undefined;
  if (messages.length > 0) await bus.publish(messages);
  if (onEmitted && emissions.length > 0) await onEmitted(emissions);
  return { messages: messages.length, ...(safe ? { safe } : {}) };
}

/** What became of tasks; nothing where the state around the row is not known. */
export function tasksTold({ executionId, activations }: ExecutionFacts, sequence: number, events: readonly ExecutionEvent[], before?: BeforeRow): readonly Announcement[] {
  return activations && before?.activations ? taskAnnouncements(executionId, sequence, events, { activations: before.activations }, { activations }) : [];
}

/** Publishes announcements of an execution that are told again. */
export async function publishAnnouncements(bus: Bus, of: Pick<Announced, 'at' | 'facts'>, announcements: readonly Announcement[]): Promise<void> {
  if (announcements.length > 0) await bus.publish(announcements.map((announcement) => messageOf(of, announcement)));
}

function messageOf({ at, facts }: Pick<Announced, 'at' | 'facts'>, announcement: Announcement, profile: LifecycleProfile = '1.0.3'): Outgoing {
  const { executionId, definition, request } = facts;
  const attributes = { id: announcement.id, source: SOURCE, subject: request.id, time: at, key: executionId, context: contextOfExecution(facts) };
  const command = (type: string, body: Command): Outgoing => outgoing('commands', { ...attributes, key: body.executionId, context: body.context!, type: `ai.weft.command.${type}.v1`, body });
  if ('begins' in announcement) {
    const isStop = announcement.to === 'stop';
    return command(isStop ? 'stop-child' : 'start', childCommand(facts, announcement.id, announcement.begins, isStop));
  }
  if (announcement.to === 'parent') return command('end-child', endCommand(facts, announcement.id, announcement.execution, announcement.ended));
  if (announcement.to === 'commands') {
    const { execution, forkFrom, reason } = announcement;
    const { execution: origin, operation, ...from } = forkFrom;
    const context = contextOfExecution(facts, { executionId: execution });
    const body = Command.fromPartial({ id: announcement.id, executionId: execution, context, forkFrom: { ...from, executionId: origin, operationId: operation, reason } });
    return command('fork-from', body);
  }
  if (announcement.to === 'results') {
    const { status, output, error } = announcement;
    const body = {
      executionId,
      requestId: request.id,
      ...(facts.from ? { forkedFrom: facts.from.execution } : {}),
      status,
      ...(output === undefined ? {} : { output }),
      ...(error === undefined ? {} : { error }),
    };
    return outgoing('results', { ...attributes, type: `ai.weft.result.${status}.v1`, body });
  }
  const { type, data, standard, task, emitted } = announcement;
  // Of a task the standard has its own word for the execution in this field.
  const workflow = task === undefined ? `${definition.namespace}/${definition.name}:${definition.version}` : qualifiedName(facts);
  const body = {
    ...(standard && lifecycleFields(facts, standard, at, profile)),
    executionId,
    requestId: request.id,
    workflow,
    ...(data === undefined ? {} : { data }),
    ...(emitted ? { event: emitted.event } : {}),
  };
  return outgoing('lifecycle', { ...attributes, ...(emitted ? attributesOf(emitted) : {}), type, body });
}

/** An emitted event keeps what its author gave it. */
function attributesOf({ event }: EmittedEvent): { readonly source: string; readonly subject?: string; readonly time?: Instant } {
  const time = Date.parse(String(event['time']));
  return { source: event.source, ...(typeof event['subject'] === 'string' ? { subject: event['subject'] } : {}), ...(Number.isNaN(time) ? {} : { time }) };
}
