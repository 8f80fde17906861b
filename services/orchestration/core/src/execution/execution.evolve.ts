// (state, event) -> state: the only place where an execution changes.
import { assertNever, invariant } from '@weft/kernel';
import type { ActivationKey, ExecutionEvent } from './execution.events.js';
import { ROOT, type Activation, type ExecutionState } from './execution.state.js';

export function evolveExecution(state: ExecutionState, event: ExecutionEvent): ExecutionState {
  switch (event.type) {
    case 'ExecutionStarted': {
      const { executionId, at, definition, request, context, taint, models, input } = event;
      const root: Activation = { key: ROOT, pointer: '', iteration: '', parent: undefined, enteredAt: at, rawInput: input, input, value: input, visits: {}, attempt: 1 };
      return { ...state, status: 'running', executionId, startedAt: at, definition, request, context, taint, models, input, activations: { [ROOT]: root } };
    }
    case 'InputTransformed':
      return withActivation(state, { ...activation(state, ROOT), value: event.input });
    case 'TaskEntered': {
      const parent = activation(state, event.parent);
      const entered: Activation = {
        key: event.key,
        pointer: event.pointer,
        iteration: event.iteration,
        parent: event.parent,
        enteredAt: event.at,
        rawInput: parent.value,
        input: event.input ?? parent.value,
        value: event.input ?? parent.value,
        visits: {},
        attempt: 1,
      };
      const visited: Activation = { ...parent, visits: { ...parent.visits, [event.pointer]: (parent.visits[event.pointer] ?? 0) + 1 } };
      return { ...state, entered: state.entered + 1, activations: { ...state.activations, [parent.key]: visited, [event.key]: entered } };
    }
    case 'TaskSkipped':
    case 'CaseChosen':
    case 'EventEmitted':
      return state;
    case 'JobScheduled': {
      const before = state.jobs[event.job];
      const job = {
        id: event.job,
        key: event.key,
        kind: event.kind,
        generation: event.generation,
        attempt: event.attempt,
        scheduledAt: event.at,
        input: event.input ?? before?.input ?? null,
        asked: false,
        ...(event.settlement ? { settlement: { ...event.settlement, output: event.settlementOutput ?? null } } : {}),
      };
      return { ...state, jobs: { ...state.jobs, [event.job]: job } };
    }
    case 'JobCompleted': {
      const taint = event.taint && event.taint.length > 0 ? [...new Set([...state.taint, ...event.taint])] : state.taint;
      const completed = withActivation(state, { ...activation(state, event.key), value: event.output });
      // A result that comes while a person is asked for it answers the question.
      return { ...completed, taint, jobs: without(state.jobs, event.job), reviews: withoutReviewsOf(state.reviews, event.key) };
    }
    case 'JobFailed': {
      // The generation rises only when it is known that nothing happened: a new key may then be used.
      const generations = event.outcome === 'failed' ? { ...state.generations, [event.job]: event.generation + 1 } : state.generations;
      const job = state.jobs[event.job];
      const jobs = event.next === 'raise' || !job ? without(state.jobs, event.job) : { ...state.jobs, [event.job]: { ...job, asked: event.next === 'ask' } };
      const attempts = event.next === 'raise' ? { ...state.attempts, [event.job]: event.attempt } : state.attempts;
      return { ...state, generations, attempts, jobs };
    }
    case 'TimerSet':
      return { ...state, timers: { ...state.timers, [event.timer]: { id: event.timer, key: event.key, purpose: event.purpose, due: event.due } } };
    case 'TimerFired':
      return { ...state, timers: without(state.timers, event.timer) };
    case 'ReviewRequested': {
      const { key, review, kind, at, title, subject } = event;
      return { ...state, reviews: { ...state.reviews, [review]: { id: review, key, kind, openedAt: at, title, subject } } };
    }
    case 'ReviewDecided':
      return { ...state, reviews: without(state.reviews, event.review) };
    case 'RetryScheduled': {
      const attempted = activation(state, event.key);
      const again: Activation = { ...attempted, value: attempted.input, visits: {}, attempt: event.retry + 1 };
      return withActivation(withoutDescendants(state, event.key), again);
    }
    case 'ErrorCaught': {
      const attempted = activation(state, event.key);
      return withActivation(withoutDescendants(state, event.key), { ...attempted, value: attempted.input, visits: {}, caught: event.error });
    }
    case 'TaskCompleted': {
      const completed = activation(state, event.key);
      invariant(completed.parent !== undefined, 'only a task that was entered completes');
      const parent = activation(state, completed.parent);
      const value = event.output ?? completed.value;
      const exported = event.exported === undefined ? state.exported : event.exported;
      return { ...state, exported, activations: { ...without(state.activations, event.key), [parent.key]: { ...parent, value } } };
    }
    case 'ExecutionCompleted':
      return { ...ended(state), status: 'completed', endedAt: event.at, output: event.output };
    case 'ExecutionFaulted':
      return { ...ended(state), status: 'faulted', endedAt: event.at, error: event.error };
    default:
      return assertNever(event, 'execution event');
  }
}

function activation(state: ExecutionState, key: ActivationKey): Activation {
  const found = state.activations[key];
  invariant(found, `no activation ${key || '(root)'} in execution ${state.executionId}`);
  return found;
}

const withActivation = (state: ExecutionState, changed: Activation): ExecutionState => ({ ...state, activations: { ...state.activations, [changed.key]: changed } });

function withoutReviewsOf(reviews: ExecutionState['reviews'], key: ActivationKey): ExecutionState['reviews'] {
  const gone = Object.values(reviews).filter((review) => review.key === key);
  return gone.reduce((left, review) => without(left, review.id), reviews);
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record;
  const { [key]: _gone, ...rest } = record;
  return rest;
}

/** Everything below an activation ends with it: its tasks, and what they waited for. */
function withoutDescendants(state: ExecutionState, key: ActivationKey): ExecutionState {
  const gone = new Set<ActivationKey>();
  const isBelow = (candidate: Activation): boolean => {
    for (let parent = candidate.parent; parent !== undefined; parent = state.activations[parent]?.parent) if (parent === key) return true;
    return false;
  };
  for (const candidate of Object.values(state.activations)) if (isBelow(candidate)) gone.add(candidate.key);
  const keep = <T extends { readonly key: ActivationKey }>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(record).filter(([, entry]) => !gone.has(entry.key)));
  return { ...state, activations: keep(state.activations), jobs: keep(state.jobs), timers: keep(state.timers), reviews: keep(state.reviews) };
}

const ended = (state: ExecutionState): ExecutionState => ({ ...state, activations: {}, jobs: {}, timers: {}, reviews: {}, generations: {}, attempts: {} });
