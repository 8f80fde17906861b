// A history as a person wants to read it: one sentence for each thing that happened.
import { type Instant, type Json } from '@weft/kernel';
import { segmentsOf } from '@weft/workflow';
import { describeAgent, limitsLeft, partOf } from './agent-lines.js';
import type { ExecutionEvent, TimerPurpose } from '../execution/execution.events.js';

export interface TimelineLine {
  readonly version: number;
  readonly at: Instant;
  readonly type: string;
  /** Name of the task, '' for the workflow itself. */
  readonly task: string;
  readonly pointer: string;
  /** Of an agent: which turn, compaction or call, such as `turn 2, call 1`; else ''. */
  readonly part: string;
  readonly text: string;
  readonly detail: Json;
}

/** One history row with the time it was recorded. */
export interface RecordedEvents {
  readonly sequence: number;
  readonly at: Instant;
  readonly events: readonly ExecutionEvent[];
}

/** The timeline of a history, oldest first. Events that only repeat what the next one says are left out. */
export function timelineOf(rows: readonly RecordedEvents[]): TimelineLine[] {
  const lines: TimelineLine[] = [];
  const left = limitsLeft(rows);
  for (const { sequence, at, events } of rows) {
    for (const event of events) {
      const line = event.type === 'TurnBegun' ? { ...describeAgent(event), detail: { left: left(event) } } : describe(event);
      if (!line) continue;
      const place = 'key' in event ? event.key : 'agent' in event ? event.agent : undefined;
      const pointer = place !== undefined ? (place.split('#')[0] ?? '') : 'pointer' in event ? event.pointer : '';
      lines.push({ version: sequence, at, type: event.type, task: segmentsOf(pointer).at(-1) ?? '', pointer, part: partOf(event), text: line.text, detail: line.detail ?? null });
    }
  }
  return lines;
}

interface Described {
  readonly text: string;
  readonly detail?: Json;
}

const reasonOf = ({ reason }: { readonly reason?: string }): { readonly reason?: string } => (reason === undefined ? {} : { reason });

const originOf = ({ parent, request }: Extract<ExecutionEvent, { type: 'ExecutionStarted' }>): string =>
  parent ? `task ${parent.key}${parent.item === undefined ? '' : `, item ${parent.item},`} of execution ${parent.execution}` : `request ${request.id}`;
const WAITING: Readonly<Record<TimerPurpose, string>> = { wait: 'waits', retry: 'retries', limit: 'has time', timeout: 'has time', attempt: 'this attempt has time', yield: 'goes on from' };

function describe(event: ExecutionEvent): Described | undefined {
  switch (event.type) {
    case 'ExecutionStarted':
      if (event.from) return { text: `${event.from.kind} by ${event.from.by} of execution ${event.from.execution} from ${event.from.key}`, detail: { input: event.input, ...reasonOf(event) } };
      return { text: `started ${event.definition.namespace}/${event.definition.name}:${event.definition.version} for ${originOf(event)}`, detail: event.input };
    case 'InputTransformed':
    case 'Subscribed':
    case 'TaskEntered':
      return undefined;
    case 'FunctionCalled':
      return { text: 'called its function', detail: event.input };
    case 'ExtensionBegun':
    case 'ExtensionsEnded':
      return undefined;
    case 'LoopBegun':
      return { text: `goes through ${event.count} ${event.count === 1 ? 'item' : 'items'}` };
    case 'PassBegun':
      return { text: `began item ${event.index}` };
    case 'MapBegun':
      return {
        text: `runs ${event.workflow.namespace}/${event.workflow.name}:${event.workflow.version} for ${event.count} ${event.count === 1 ? 'item' : 'items'}, at most ${event.concurrency} at a time`,
      };
    case 'ChildStarted': {
      const what = event.workflow ? `${event.workflow.namespace}/${event.workflow.name}:${event.workflow.version}` : `item ${event.item}`;
      return { text: `started ${what} as execution ${event.child}${event.isAwaited === false ? ', and does not wait for it' : ''}`, detail: event.input ?? null };
    }
    case 'ChildEnded':
      return { text: `${event.item === undefined ? '' : `item ${event.item}, `}execution ${event.child} ${event.status}`, detail: event.output ?? event.error ?? null };
    case 'BranchFailed':
      return { text: `branch ${event.branch} failed: ${event.errorType}`, detail: event.error };
    case 'BranchesJoined':
      return { text: event.winner === undefined ? 'all branches have ended' : `branch ${event.winner} won, the others are cancelled` };
    case 'ListenOpened':
      return { text: `listens to ${event.eventType === '' ? 'any event' : event.eventType}`, detail: event.expected };
    case 'SignalReceived':
      return { text: `received ${event.eventType} from ${event.source}`, detail: event.event };
    case 'SignalTaken':
      return { text: `took event ${event.id} from ${event.source}` };
    case 'SubscriptionBegun':
      return { text: 'subscribes', detail: event.input };
    case 'MessageTaken':
      return { text: 'took a message' };
    case 'ItemBegun':
      return { text: 'began what is done with it' };
    case 'ItemEnded':
      return undefined;
    case 'ListenClosed':
      return { text: 'has heard what it listened for' };
    case 'TaskSkipped':
      return { text: 'skipped: its `if` did not hold' };
    case 'CaseChosen':
      return { text: `took the case ${event.name}` };
    case 'JobScheduled': {
      const again = event.attempt > 1 ? `, attempt ${event.attempt}` : '';
      const settled = event.settlement ? `, settled by ${event.settlement.decidedBy} as ${event.settlement.happened ? 'happened' : 'not happened'}` : '';
      return { text: `${event.kind} job scheduled${again}${settled}`, detail: event.input ?? null };
    }
    case 'JobCompleted':
      return { text: 'job completed', detail: { output: event.output, ...(event.evidence === undefined ? {} : { evidence: event.evidence }) } };
    case 'JobFailed': {
      const raised = /call \d+$/.test(partOf(event)) ? 'the model is told' : partOf(event) === '' ? 'the task faults' : 'the agent fails';
      const asked = event.code === 'approval-required' ? 'a person is asked to approve it' : 'a person is asked whether it happened';
      const next = { raise: raised, again: 'tried again by the platform', ask: asked }[event.next];
      const outcome = { none: '', failed: ' (known not to have happened)', unknown: ' (it may have happened)' }[event.outcome];
      return { text: `attempt ${event.attempt} failed: ${event.code}${outcome}; ${next}`, detail: event.failure };
    }
    case 'TimerSet':
      return { text: `${WAITING[event.purpose]} until ${new Date(event.due).toISOString()}` };
    case 'TimerFired':
      return { text: 'timer fired' };
    case 'ReviewRequested':
      return { text: `asked a person: ${event.title}`, detail: { review: event.review, kind: event.kind, subject: event.subject } };
    case 'ReviewDecided':
      return { text: `${event.outcome} by ${(event.approvedBy ?? [event.decidedBy]).join(' and ')}`, detail: event.answer };
    case 'ReviewChanged':
      return describeChange(event);
    case 'ActionApproved':
      return { text: `the action was approved by ${event.decidedBy.join(' and ')}`, detail: { review: event.review, digest: event.digest } };
    case 'EventEmitted':
      return { text: 'emitted an event', detail: event.event };
    case 'ErrorCaught':
      return { text: `caught ${event.errorType}`, detail: event.error };
    case 'RetriesLimited':
      return { text: `may be tried again until ${new Date(event.until).toISOString()}` };
    case 'RetryScheduled':
      return { text: `retry ${event.retry} after ${event.errorType}`, detail: event.error };
    case 'TaskCompleted':
      return { text: 'completed', detail: event.output ?? null };
    case 'ExecutionCompleted':
      return { text: 'completed', detail: event.output };
    case 'ExecutionFaulted':
      return { text: `faulted: ${event.errorType}`, detail: event.error };
    case 'ExecutionSuspended':
      return { text: `suspended by ${event.by}`, detail: reasonOf(event) };
    case 'ExecutionResumed':
      return { text: `resumed by ${event.by}`, detail: reasonOf(event) };
    case 'StepHeld':
      return { text: 'held until the execution goes on' };
    case 'CancelRequested':
      return { text: `cancel asked for by ${event.by}`, detail: reasonOf(event) };
    case 'CancelCaught':
      return { text: 'handles the cancel' };
    case 'CancelHandlerEnded':
      return { text: event.errorType === undefined ? 'ended its handling of the cancel' : `failed to handle the cancel: ${event.errorType}`, detail: event.error ?? null };
    case 'ExecutionCancelled':
      return { text: `cancelled by ${event.by}`, detail: event.error };
    case 'ExecutionTerminated':
      return { text: `terminated by ${event.by}`, detail: reasonOf(event) };
    case 'ExecutionRetried':
      return { text: `retried by ${event.by} from ${event.task.key || 'the start'}`, detail: reasonOf(event) };
    case 'DefinitionMigrated':
      return { text: `migrated from version ${event.from.version} to ${event.to.version} by ${event.by}`, detail: reasonOf(event) };
    case 'ExecutionForked':
      return { text: `${event.kind} by ${event.by} from ${event.key}: execution ${event.execution}`, detail: { execution: event.execution, ...reasonOf(event) } };
    default:
      return describeAgent(event);
  }
}

function describeChange(event: Extract<ExecutionEvent, { type: 'ReviewChanged' }>): Described {
  const detail = { review: event.review, ...('text' in event && event.text !== undefined ? { text: event.text } : {}) };
  switch (event.change) {
    case 'claimed':
      return { text: `${event.by} has the review in hand until ${new Date(event.until).toISOString()}`, detail };
    case 'released':
      return { text: `${event.by} gave the review back`, detail };
    case 'delegated':
      return { text: `${event.by} handed the review to ${event.to.join(', ')}`, detail };
    case 'commented':
      return { text: `${event.by} commented on the review`, detail };
    case 'approved':
      return { text: `${event.by} approved; more must`, detail };
    case 'reminded':
      return { text: 'reminded of the review', detail };
    case 'overdue':
      return { text: 'the review is overdue', detail };
    case 'escalated':
      return { text: `the review is escalated to ${event.to.join(', ')}`, detail };
  }
}
