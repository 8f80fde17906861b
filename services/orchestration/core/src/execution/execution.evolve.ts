// (state, event) -> state: the only place where an execution changes.
import { assertNever, invariant } from '@weft/kernel';
import { ExecutionDraft } from './execution.draft.js';
import type { ActivationKey, ExecutionEvent } from './execution.events.js';
import { ROOT, type Activation, type ExecutionState } from './execution.state.js';

/** The state after one more event. */
export const evolveExecution = (state: ExecutionState, event: ExecutionEvent): ExecutionState => foldExecution(state, [event]);

/** The state after more events: the same as evolving by one after the other, with each part of the state copied once. */
export function foldExecution(state: ExecutionState, events: readonly ExecutionEvent[]): ExecutionState {
  if (events.length === 0) return state;
  const draft = new ExecutionDraft(state);
  for (const event of events) evolveDraft(draft, event);
  return draft.state;
}

/** Folds one event into a draft. */
export function evolveDraft(draft: ExecutionDraft, event: ExecutionEvent): void {
  const { state } = draft;
  switch (event.type) {
    case 'ExecutionStarted': {
      const { executionId, at, definition, request, context, taint, models, input } = event;
      const root: Activation = { key: ROOT, pointer: '', iteration: '', parent: undefined, enteredAt: at, rawInput: input, input, value: input, visits: {}, attempt: 1 };
      return draft.set({ status: 'running', executionId, startedAt: at, definition, request, context, taint, models, input, activations: { [ROOT]: root } });
    }
    case 'InputTransformed':
      return draft.change(ROOT, { value: event.input });
    case 'TaskEntered': {
      const { key, pointer, iteration } = event;
      const parent = draft.activation(event.parent);
      const input = event.input ?? parent.value;
      draft.change(parent.key, { visits: { ...parent.visits, [pointer]: (parent.visits[pointer] ?? 0) + 1 } });
      draft.put('activations', key, { key, pointer, iteration, parent: event.parent, enteredAt: event.at, rawInput: parent.value, input, value: input, visits: {}, attempt: 1 });
      return draft.set({ entered: state.entered + 1 });
    }
    case 'TaskSkipped':
    case 'CaseChosen':
    case 'EventEmitted':
      return;
    case 'JobScheduled': {
      const { job: id, key, kind, generation, attempt, at } = event;
      const settlement = event.settlement ? { settlement: { ...event.settlement, output: event.settlementOutput ?? null } } : {};
      return draft.put('jobs', id, { id, key, kind, generation, attempt, scheduledAt: at, input: event.input ?? state.jobs[id]?.input ?? null, asked: false, ...settlement });
    }
    case 'JobCompleted': {
      draft.change(event.key, { value: event.output });
      draft.remove('jobs', event.job);
      // A result that comes while a person is asked for it answers the question.
      draft.removeWhere('reviews', (review) => review.key === event.key);
      if (event.taint && event.taint.length > 0) draft.set({ taint: [...new Set([...state.taint, ...event.taint])] });
      return;
    }
    case 'JobFailed': {
      const job = state.jobs[event.job];
      // The generation rises only when it is known that nothing happened: a new key may then be used.
      if (event.outcome === 'failed') draft.put('generations', event.job, event.generation + 1);
      if (event.next === 'raise') draft.put('attempts', event.job, event.attempt);
      if (event.next === 'raise' || !job) return draft.remove('jobs', event.job);
      return draft.put('jobs', event.job, { ...job, asked: event.next === 'ask' });
    }
    case 'TimerSet':
      return draft.put('timers', event.timer, { id: event.timer, key: event.key, purpose: event.purpose, due: event.due });
    case 'TimerFired':
      return draft.remove('timers', event.timer);
    case 'ReviewRequested': {
      const { key, review, kind, at, title, subject } = event;
      return draft.put('reviews', review, { id: review, key, kind, openedAt: at, title, subject });
    }
    case 'ReviewDecided':
      return draft.remove('reviews', event.review);
    case 'RetryScheduled':
      removeDescendants(draft, event.key);
      return draft.change(event.key, { value: draft.activation(event.key).input, visits: {}, attempt: event.retry + 1 });
    case 'ErrorCaught':
      removeDescendants(draft, event.key);
      return draft.change(event.key, { value: draft.activation(event.key).input, visits: {}, caught: event.error });
    case 'TaskCompleted': {
      const completed = draft.activation(event.key);
      invariant(completed.parent !== undefined, 'only a task that was entered completes');
      draft.change(completed.parent, { value: event.output ?? completed.value });
      draft.remove('activations', event.key);
      if (event.exported !== undefined) draft.set({ exported: event.exported });
      return;
    }
    case 'ExecutionCompleted':
      return draft.set({ ...ENDED, status: 'completed', endedAt: event.at, output: event.output });
    case 'ExecutionFaulted':
      return draft.set({ ...ENDED, status: 'faulted', endedAt: event.at, error: event.error });
    default:
      return assertNever(event, 'execution event');
  }
}

/** Everything below an activation ends with it: its tasks, and what they waited for. */
function removeDescendants(draft: ExecutionDraft, key: ActivationKey): void {
  const { activations } = draft.state;
  const isBelow = (candidate: Activation): boolean => {
    for (let parent = candidate.parent; parent !== undefined; parent = activations[parent]?.parent) if (parent === key) return true;
    return false;
  };
  const gone = new Set(
    Object.values(activations)
      .filter(isBelow)
      .map((below) => below.key),
  );
  const isGone = (entry: { readonly key: ActivationKey }): boolean => gone.has(entry.key);
  draft.removeWhere('jobs', isGone);
  draft.removeWhere('timers', isGone);
  draft.removeWhere('reviews', isGone);
  draft.removeWhere('activations', isGone);
}

/** What an execution that has ended no longer has. */
const ENDED: Partial<ExecutionState> = { activations: {}, jobs: {}, timers: {}, reviews: {}, generations: {}, attempts: {} };
