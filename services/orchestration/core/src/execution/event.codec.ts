// Events as they are stored: structure (what steered: folds for ever) apart from payloads (what may be erased).
import { Defect, type Json } from '@weft/kernel';
import type { ExecutionEvent, ExecutionEventType } from './execution.events.js';

/** What an erased payload folds to. */
export const ERASED: Json = { 'weft:erased': true };

// Which fields of an event are payload: data of the workflow, never what steers it.
const PAYLOAD_FIELDS: { readonly [T in ExecutionEventType]: readonly string[] } = {
  ExecutionStarted: ['input', 'reason'],
  InputTransformed: ['input'],
  TaskEntered: ['input'],
  TaskSkipped: [],
  CaseChosen: [],
  LoopBegun: ['items'],
  PassBegun: [],
  BranchFailed: ['error'],
  BranchesJoined: [],
  ListenOpened: ['expected'],
  SignalReceived: ['event'],
  SignalTaken: [],
  JobScheduled: ['input', 'settlementOutput'],
  JobCompleted: ['output', 'evidence'],
  JobFailed: ['failure'],
  TimerSet: [],
  TimerFired: [],
  ReviewRequested: ['title', 'subject'],
  ReviewDecided: ['answer'],
  EventEmitted: ['event'],
  ErrorCaught: ['error'],
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
};

/** One history row's texts. `payload` is '[]' when no event carries data. */
export interface StoredEvents {
  readonly structure: string;
  /** JSON array of payload values, or null once erased. */
  readonly payload: string | null;
}

/** Splits events into structure and payload. In the structure a payload field holds `{"$": index}`. */
export function encodeEvents(events: readonly ExecutionEvent[]): { readonly structure: string; readonly payload: string } {
  const payloads: Json[] = [];
  const structure = events.map((event) => {
    const stored: Record<string, unknown> = { ...event };
    for (const field of PAYLOAD_FIELDS[event.type]) {
      if (stored[field] === undefined) continue;
      stored[field] = { $: payloads.length };
      payloads.push((event as unknown as Record<string, Json>)[field]!);
    }
    return stored;
  });
  return { structure: JSON.stringify(structure), payload: JSON.stringify(payloads) };
}

/** Joins structure and payload. @throws Defect for an event type this release does not know: that execution stops, no other. */
export function decodeEvents(stored: StoredEvents): ExecutionEvent[] {
  const payloads = stored.payload === null ? null : (JSON.parse(stored.payload) as Json[]);
  const events = JSON.parse(stored.structure) as (Record<string, unknown> & { type: ExecutionEventType })[];
  for (const event of events) {
    const fields = PAYLOAD_FIELDS[event.type];
    if (!fields) throw new Defect(`a history holds an event of type ${JSON.stringify(event.type)}, which this release does not know`);
    for (const field of fields) {
      const reference = event[field] as { $: number } | undefined;
      if (reference !== undefined) event[field] = payloads === null ? ERASED : (payloads[reference.$] ?? null);
    }
  }
  return events as unknown as ExecutionEvent[];
}
