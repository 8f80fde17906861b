// Events as they are stored: structure (what steered: folds for ever) apart from payloads (what may be erased).
import { Defect, type Json } from '@weft/kernel';
import type { ExecutionEvent, ExecutionEventType } from './execution.events.js';
import { jobIdOf } from './execution.state.js';

/** What an erased payload folds to. */
export const ERASED: Json = { 'weft:erased': true };

// Which fields of an event are payload: data of the workflow, never what steers it.
const PAYLOAD_FIELDS: { readonly [T in ExecutionEventType]: readonly string[] } = {
  ExecutionStarted: ['input', 'reason'],
  InputTransformed: ['input'],
  TaskEntered: ['input'],
  TaskSkipped: [],
  CaseChosen: [],
  FunctionCalled: ['input'],
  ExtensionBegun: ['output'],
  ExtensionsEnded: [],
  LoopBegun: ['items'],
  PassBegun: [],
  MapBegun: ['items'],
  ChildStarted: ['input'],
  ChildEnded: ['output', 'error'],
  BranchFailed: ['error'],
  BranchesJoined: [],
  ListenOpened: ['expected'],
  Subscribed: [],
  SignalReceived: ['event'],
  SignalTaken: ['keys'],
  SubscriptionBegun: ['input'],
  MessageTaken: [],
  ItemBegun: ['item'],
  ItemEnded: ['output', 'exported'],
  ListenClosed: ['keys'],
  JobScheduled: ['input', 'settlementOutput'],
  JobCompleted: ['output', 'evidence'],
  JobFailed: ['failure'],
  TimerSet: [],
  TimerFired: [],
  ReviewRequested: ['title', 'subject', 'form'],
  ReviewChanged: ['text', 'form'],
  ReviewDecided: ['answer'],
  ActionApproved: [],
  EventEmitted: ['event'],
  ErrorCaught: ['error'],
  RetriesLimited: [],
  RetryScheduled: ['error'],
  TaskCompleted: ['output', 'exported'],
  ExecutionCompleted: ['output'],
  ExecutionFaulted: ['error'],
  ExecutionSuspended: ['reason'],
  ExecutionResumed: ['reason'],
  StepHeld: ['output', 'error'],
  CancelRequested: ['reason', 'error'],
  CancelCaught: [],
  CancelHandlerEnded: ['error'],
  ExecutionCancelled: ['error'],
  ExecutionTerminated: ['reason', 'error'],
  ExecutionRetried: ['reason'],
  ExecutionForked: ['reason'],
  DefinitionMigrated: ['reason'],
  AgentBegun: ['given'],
  AgentResumed: [],
  TurnBegun: [],
  CallBegun: ['tool'],
  CallRefused: ['reason'],
  AnswerRefused: ['problem'],
  AgentLimited: [],
  AgentHandedOver: [],
  AgentEnded: ['error'],
};

const PAYLOAD_OF = Object.fromEntries(Object.entries(PAYLOAD_FIELDS).map(([type, fields]) => [type, new Set(fields)])) as unknown as { readonly [T in ExecutionEventType]: ReadonlySet<string> };

/** Names of the fields of an event that hold its data: what is stored as its payload. */
export const payloadFieldsOf = (event: ExecutionEvent): readonly string[] => PAYLOAD_FIELDS[event.type];

/** One history row's texts. `payload` is '[]' when no event carries data. */
export interface StoredEvents {
  readonly structure: string;
  /** JSON array of payload values, or null once erased. */
  readonly payload: string | null;
}

/**
 * Splits events into structure and payload. In the structure a payload field holds `{"$": index}`, and what follows from the rest
 * of the row is left out: a hundred thousand histories are mostly names that say each other.
 */
export function encodeEvents(events: readonly ExecutionEvent[], executionId: string): { readonly structure: string; readonly payload: string } {
  const payloads: Json[] = [];
  const implied = new Implied(executionId);
  const structure = events.map((event) => {
    const isPayload = PAYLOAD_OF[event.type];
    const isImplied = implied.in(event);
    const stored: Record<string, unknown> = {};
    // Built field by field: an object that fields are deleted from again is slow to write.
    for (const field in event) {
      const value = (event as unknown as Record<string, Json>)[field];
      if (value === undefined || isImplied(field, value)) continue;
      if (isPayload.has(field)) stored[field] = { $: payloads.push(value) - 1 };
      else stored[field] = value;
    }
    return stored;
  });
  return { structure: JSON.stringify(structure), payload: JSON.stringify(payloads) };
}

/** Joins structure and payload of a history row. @throws Defect for an event type this release does not know: that execution stops, no other. */
export function decodeEvents(stored: StoredEvents, executionId: string): ExecutionEvent[] {
  const payloads = stored.payload === null ? null : (JSON.parse(stored.payload) as Json[]);
  const events = JSON.parse(stored.structure) as (Record<string, unknown> & { type: ExecutionEventType })[];
  const implied = new Implied(executionId);
  for (const event of events) {
    const fields = PAYLOAD_FIELDS[event.type];
    if (!fields) throw new Defect(`a history holds an event of type ${JSON.stringify(event.type)}, which this release does not know`);
    for (const field of fields) {
      const reference = event[field] as { $: number } | undefined;
      if (reference !== undefined) event[field] = payloads === null ? ERASED : (payloads[reference.$] ?? null);
    }
    implied.putBack(event);
  }
  return events as unknown as ExecutionEvent[];
}

// Which events have the fields that may be implied.
const TIMED: ReadonlySet<string> = new Set<ExecutionEventType>(['TaskEntered', 'JobScheduled', 'TaskCompleted']);
const OF_JOBS: ReadonlySet<string> = new Set<ExecutionEventType>(['JobScheduled', 'JobCompleted', 'JobFailed']);

const NOTHING_IMPLIED = (): boolean => false;

/** Fields that follow from others. Only what would be put back the same is left out, and rows that say everything are read as they are. */
class Implied {
  #at: unknown;

  constructor(private readonly executionId: string) {}

  /** Which fields of the next event of the row are left out: an instant that is that of the event before, a job named by its activation, a task's place in its key. */
  in(event: ExecutionEvent): (field: string, value: Json) => boolean {
    const at = this.#at;
    if ('at' in event) this.#at = event.at;
    switch (event.type) {
      case 'TaskCompleted':
        return (field, value) => field === 'at' && value === at;
      case 'JobScheduled':
      case 'JobCompleted':
      case 'JobFailed': {
        const job = jobIdOf(this.executionId, event.key);
        const mayLeaveAt = event.type === 'JobScheduled';
        return (field, value) => (field === 'job' ? value === job : field === 'generation' ? value === 0 : mayLeaveAt && field === 'at' && value === at);
      }
      case 'TaskEntered': {
        const { pointer, iteration } = partsOf(event.key);
        const isPlace = event.pointer === pointer && event.iteration === iteration;
        return (field, value) => (field === 'pointer' || field === 'iteration' ? isPlace : field === 'at' && value === at);
      }
      default:
        return NOTHING_IMPLIED;
    }
  }

  putBack(event: Record<string, unknown>): void {
    const type = event['type'] as string;
    if (TIMED.has(type) && event['at'] === undefined) event['at'] = this.#at;
    this.#at = event['at'] ?? this.#at;
    if (OF_JOBS.has(type)) {
      event['job'] ??= jobIdOf(this.executionId, event['key'] as string);
      event['generation'] ??= 0;
      return;
    }
    if (type === 'TaskEntered' && event['pointer'] === undefined) Object.assign(event, partsOf(event['key'] as string));
  }
}

function partsOf(key: string): { readonly pointer: string; readonly iteration: string } {
  const at = key.indexOf('#');
  return at < 0 ? { pointer: key, iteration: '' } : { pointer: key.slice(0, at), iteration: key.slice(at + 1) };
}
