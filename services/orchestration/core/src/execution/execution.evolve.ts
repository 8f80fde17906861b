// (state, event) -> state: the only place where an execution changes.
import { invariant, type Instant, type Json } from '@weft/kernel';
import { ExecutionDraft } from './execution.draft.js';
import { changeReview } from '../review/review.state.js';
import { APPROVAL_REQUIRED } from '../review/review.terms.js';
import { contextAt, joinContexts } from './execution.context.js';
import type { ActivationKey, ExecutionEvent, FailedTask } from './execution.events.js';
import type { Operation } from './operation.js';
import type { Step } from '../interpreter/advance.js';
import { migrate } from './migration.evolve.js';
import { beginExtension, endExtensions } from './extensions.evolve.js';
import { beginMap, closeChild, dropChildren, openChild } from '../child/child.evolve.js';
import { evolveAgent, endStep, takeAnswer } from '../agent/agent.evolve.js';
import { beginItem, endItem, keepSignal, takeSignal } from '../signal/gathering.js';
import { beginSubscription, takeBatch, takeMessage, takenUp } from '../subscription/subscribing.js';
import { recorded } from './recorded.js';
import { removeAttempt, removeBelow, removeWaits } from './remove-below.js';
import { isTimeLimit, ROOT, type Activation, type EndedBranch, type ExecutionState } from './execution.state.js';

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
      return draft.set({
        status: 'running',
        executionId,
        startedAt: at,
        definition,
        request,
        context,
        taint,
        models,
        input,
        activations: { [ROOT]: root },
        ...(event.from ? { from: event.from } : {}),
        ...(event.hops === undefined ? {} : { hops: event.hops }),
        ...(event.flags ? { flags: event.flags } : {}),
        ...(event.parent ? { parent: event.parent } : {}),
      });
    }
    case 'InputTransformed':
      return draft.change(ROOT, { value: event.input });
    case 'TaskEntered': {
      const { key, pointer, iteration } = event;
      const parent = draft.activation(event.parent);
      const input = recorded(state, event.input, parent.value);
      // Nothing jumps back to a branch.
      if (event.branch === undefined) draft.change(parent.key, { visits: { ...parent.visits, [pointer]: (parent.visits[pointer] ?? 0) + 1 } });
      const branch = event.branch === undefined ? {} : { branch: event.branch };
      draft.put('activations', key, { key, pointer, iteration, parent: event.parent, enteredAt: event.at, rawInput: parent.value, input, value: input, visits: {}, attempt: 1, ...branch });
      return draft.set({ entered: state.entered + 1 });
    }
    case 'TaskSkipped':
      if (event.branch !== undefined) endBranch(draft, { key: event.parent, branch: event.branch });
      return;
    case 'FunctionCalled':
      return draft.change(event.key, { value: event.input });
    case 'ExtensionBegun':
      return beginExtension(draft, event);
    case 'ExtensionsEnded':
      return endExtensions(draft, event);
    case 'LoopBegun':
      return draft.change(event.key, { loop: { count: event.count, items: event.items, index: -1 } });
    case 'PassBegun': {
      const { loop } = draft.activation(event.key);
      invariant(loop, 'only a loop that has begun has passes');
      draft.change(event.key, { loop: { ...loop, index: event.index }, visits: {} });
      // Passes count like tasks: what goes round without entering any ends too.
      return draft.set({ entered: state.entered + 1 });
    }
    case 'MapBegun':
      return beginMap(draft, event);
    case 'ChildStarted':
      return openChild(draft, event);
    case 'ChildEnded':
      closeChild(draft, event);
      return taintWith(draft, event.taint);
    case 'BranchFailed': {
      const failed = Object.values(state.activations).find(({ parent, branch }) => parent === event.key && branch === event.branch);
      if (failed) removeBelow(draft, failed.key, true);
      return endBranch(draft, { key: event.key, branch: event.branch, error: event.error });
    }
    case 'BranchesJoined':
      return joinBranches(draft, event.key, event.winner);
    case 'ListenOpened': {
      const { listen: id, key, at: openedAt, eventType, correlation, expected, filter } = event;
      return draft.put('listens', id, { id, key, openedAt, eventType, correlation, expected, ...(filter === undefined ? {} : { filter }) });
    }
    case 'Subscribed':
      return draft.set({ subscriptions: event.correlations });
    case 'SignalReceived': {
      keepSignal(draft, event);
      if ((event.hops ?? 0) > (state.hops ?? 0)) draft.set({ hops: event.hops! });
      return taintWith(draft, event.taint);
    }
    case 'SignalTaken':
      return takeSignal(draft, event);
    case 'SubscriptionBegun':
      return beginSubscription(draft, event);
    case 'MessageTaken':
      return takeMessage(draft, event);
    case 'ItemBegun':
      return beginItem(draft, event);
    case 'ItemEnded':
      endItem(draft, event);
      return event.exported === undefined ? undefined : exportTo(draft, event.key, event.exported);
    case 'ListenClosed':
      return draft.removeWhere('listens', (listen) => listen.key === event.key);
    case 'CaseChosen':
    case 'EventEmitted':
      return;
    case 'JobScheduled': {
      const { job: id, key, kind, generation, attempt, at } = event;
      const settlement = event.settlement ? { settlement: { ...event.settlement, output: event.settlementOutput ?? null } } : {};
      return draft.put('jobs', id, { id, key, kind, generation, attempt, scheduledAt: at, input: event.input ?? state.jobs[id]?.input ?? null, asked: false, ...settlement });
    }
    case 'JobCompleted': {
      const { step, subscribing } = draft.activation(event.key);
      if (step) endStep(draft, step, event);
      else if (subscribing) takeBatch(draft, subscribing, event);
      else draft.change(event.key, { value: event.output });
      draft.remove('jobs', event.job);
      // A result that comes while a person is asked for it answers the question.
      draft.removeWhere('reviews', (review) => review.key === event.key);
      draft.removeWhere('approvals', ({ job }) => job === event.job);
      return taintWith(draft, event.taint);
    }
    case 'JobFailed': {
      const job = state.jobs[event.job];
      taintWith(draft, event.taint);
      // The generation rises only when it is known that nothing happened: a new key may then be used.
      if (event.outcome === 'failed') draft.put('generations', event.job, event.generation + 1);
      // Another generation is another action, and what is asked about anew was not approved as it is now.
      if (event.outcome === 'failed' || event.code === APPROVAL_REQUIRED) draft.removeWhere('approvals', (approval) => approval.job === event.job);
      if (event.next === 'raise') draft.put('attempts', event.job, event.attempt);
      const step = event.next === 'raise' ? state.activations[event.key]?.step : undefined;
      if (step) endStep(draft, step, event);
      if (event.next === 'raise' || !job) return draft.remove('jobs', event.job);
      return draft.put('jobs', event.job, { ...job, asked: event.next === 'ask' });
    }
    case 'TimerSet': {
      const { timer: id, key, purpose, due } = event;
      draft.put('timers', id, { id, key, purpose, due });
      if (isTimeLimit(purpose)) draft.change(key, { timeouts: [...(draft.activation(key).timeouts ?? []), id] });
      return;
    }
    case 'TimerFired':
      // What an earlier decision left is taken with it.
      if (state.timers[event.timer]?.purpose === 'yield') draft.clear('held');
      return draft.remove('timers', event.timer);
    case 'ReviewRequested': {
      const { key, review, kind, at, title, subject, terms, form } = event;
      draft.put('reviews', review, { id: review, key, kind, openedAt: at, title, subject, ...(terms ? { terms } : {}), ...(form === undefined ? {} : { form }) });
      return draft.set({ asked: state.asked + 1 });
    }
    case 'ReviewChanged': {
      const review = state.reviews[event.review];
      return review && draft.put('reviews', event.review, changeReview(review, event));
    }
    case 'ReviewDecided': {
      const { step } = state.activations[event.key] ?? {};
      const { kind } = state.reviews[event.review] ?? {};
      draft.remove('reviews', event.review);
      if (step && kind === 'approval') takeAnswer(draft, event.key, step, { outcome: event.outcome, decidedBy: event.decidedBy, answer: event.answer });
      return;
    }
    case 'ActionApproved': {
      const { review, job, digest, decidedBy, at, expires } = event;
      return draft.put('approvals', review, { review, job, digest, decidedBy, decidedAt: at, expires });
    }
    case 'RetriesLimited':
      return draft.change(event.key, { retryUntil: event.until });
    case 'RetryScheduled':
      removeAttempt(draft, event.key);
      return draft.change(event.key, { value: draft.activation(event.key).input, visits: {}, attempt: event.retry + 1 });
    case 'ErrorCaught':
      removeAttempt(draft, event.key);
      return draft.change(event.key, { value: draft.activation(event.key).input, visits: {}, caught: event.error });
    case 'TaskCompleted': {
      const completed = draft.activation(event.key);
      invariant(completed.parent !== undefined, 'only a task that was entered completes');
      const output = recorded(state, event.output, completed.value);
      draft.remove('activations', event.key);
      for (const timer of completed.timeouts ?? []) draft.remove('timers', timer);
      endHandler(draft, event.key);
      if (completed.branch !== undefined) {
        const exported = recorded<Json | undefined>(state, event.exported, completed.exported);
        return endBranch(draft, { key: completed.parent, branch: completed.branch, output, ...(exported === undefined ? {} : { exported }) });
      }
      draft.change(completed.parent, { value: output });
      if (event.exported !== undefined) exportTo(draft, completed.parent, event.exported);
      return;
    }
    case 'ExecutionCompleted':
      draft.clear('agents', 'children');
      return draft.set({ ...ENDED, status: 'completed', endedAt: event.at, output: event.output });
    case 'ExecutionFaulted':
      return interrupt(draft, event);
    case 'ExecutionSuspended':
      note(draft, event.operation, 'pause');
      return draft.set({ status: 'suspended' });
    case 'ExecutionResumed':
      note(draft, event.operation, 'resume');
      draft.clear('held');
      return draft.set({ status: 'running' });
    case 'StepHeld': {
      const output =
        'output' in event ? { output: event.output } : event.step['go'] === 'complete' ? { output: (state.activations[event.key] ?? state.interrupted?.activations[event.key])?.value ?? null } : {};
      const step = { ...event.step, ...output, ...(event.error === undefined ? {} : { error: event.error }) };
      return draft.set({ held: [...(state.held ?? []), step as unknown as NonNullable<Step>] });
    }
    case 'CancelRequested':
      note(draft, event.operation, 'cancel');
      draft.clear('held', 'children');
      return draft.set({ status: 'running', jobs: {}, timers: {}, reviews: {}, listens: {}, cancelling: { by: event.by, error: event.error } });
    case 'CancelCaught': {
      const { cancelling } = state;
      invariant(cancelling, 'a cancel is caught only while it goes on');
      removeBelow(draft, event.key);
      draft.change(event.key, { value: draft.activation(event.key).input, visits: {}, caught: cancelling.error });
      return draft.set({ cancelling: { ...cancelling, handler: event.key } });
    }
    case 'CancelHandlerEnded':
      removeBelow(draft, event.key, true);
      return endHandler(draft, event.key);
    case 'ExecutionCancelled':
      draft.clear('held', 'cancelling', 'agents', 'children');
      return draft.set({ ...ENDED, status: 'cancelled', endedAt: event.at, error: event.error });
    case 'ExecutionTerminated':
      note(draft, event.operation, 'terminate');
      draft.clear('held', 'cancelling', 'agents', 'children');
      return draft.set({ ...ENDED, status: 'cancelled', endedAt: event.at, error: event.error });
    case 'ExecutionRetried':
      note(draft, event.operation, 'retry');
      return takeUp(draft, event.task, event.at);
    case 'DefinitionMigrated':
      note(draft, event.operation, 'migrate');
      return migrate(draft, event);
    case 'ExecutionForked':
      return note(draft, event.operation, event.kind);
    default:
      return evolveAgent(draft, event);
  }
}

const LABELS_MAX = 256;

/** Labels only ever grow. */
function taintWith(draft: ExecutionDraft, taint: readonly string[] | undefined): void {
  if (!taint || taint.length === 0) return;
  const labels = new Set(draft.state.taint);
  // Events may name any source: what every job carries has a bound. Beyond it nothing is told apart, and nothing is forgotten.
  for (const label of taint) if (!labels.has(label)) labels.add(labels.size < LABELS_MAX ? label : label.startsWith('private:') ? 'private:other' : 'other');
  draft.set({ taint: [...labels] });
}

/** Replaces `$context`: the copy of the branch that an activation is in, else that of the execution. */
function exportTo(draft: ExecutionDraft, key: ActivationKey, exported: Json): void {
  for (let at: ActivationKey | undefined = key; at !== undefined; at = draft.activation(at).parent) {
    if (draft.activation(at).branch !== undefined) return draft.change(at, { exported });
  }
  draft.set({ exported });
}

function endBranch(draft: ExecutionDraft, ended: EndedBranch): void {
  draft.put('branches', `${ended.key}\n${ended.branch}`, ended);
  draft.change(ended.key, { branchesEnded: (draft.activation(ended.key).branchesEnded ?? 0) + 1 });
}

/** The output of a fork, and what its branches exported, in declared order whatever the order in which they ended. */
function joinBranches(draft: ExecutionDraft, key: ActivationKey, winner: number | undefined): void {
  const { input } = draft.activation(key);
  const ended = Object.values(draft.state.branches).filter((branch) => branch.key === key);
  const joined = (winner === undefined ? ended : ended.filter(({ branch }) => branch === winner)).toSorted((left, right) => left.branch - right.branch);
  // A skipped branch hands its input on.
  const outputs = joined.map(({ output }) => (output === undefined ? input : output));
  const exports = joined.flatMap(({ exported }) => (exported === undefined ? [] : [exported]));
  if (winner !== undefined) removeBelow(draft, key);
  draft.removeWhere('branches', (branch) => branch.key === key);
  draft.change(key, { value: winner === undefined ? outputs : (outputs[0] ?? null) });
  if (exports.length > 0) exportTo(draft, key, joinContexts(contextAt(draft.state, key), exports));
}

function note(draft: ExecutionDraft, id: string, operation: Operation | 'migrate'): void {
  draft.set({ operations: { ...draft.state.operations, [id]: operation } });
}

/** Ends with an error, and keeps what a retry goes on from. */
function interrupt(draft: ExecutionDraft, event: Extract<ExecutionEvent, { type: 'ExecutionFaulted' }>): void {
  // They are cancelled with it: a retry starts others.
  dropChildren(draft);
  const { activations, branches, jobs, timers, reviews, listens, signals, generations, attempts, agents } = draft.state;
  const interrupted = { activations, branches, jobs, timers, reviews, listens, signals, generations, attempts, ...(agents ? { agents } : {}), ...(event.task ? { task: event.task } : {}) };
  draft.clear('agents', 'children');
  draft.set({ ...ENDED, status: 'faulted', endedAt: event.at, error: event.error, interrupted });
}

/** Goes on from where the execution faulted: what was outstanding beside the failed task is outstanding again. */
function takeUp(draft: ExecutionDraft, { key, position }: FailedTask, at: Instant): void {
  const { interrupted, entered, endedAt = at } = draft.state;
  invariant(interrupted, 'only what faulted is retried');
  const { task: _task, ...parts } = interrupted;
  draft.clear('interrupted', 'held', 'error', 'endedAt');
  // Ids of reviews and timers are numbered by it: what the task asks for anew is something else than what it asked for before.
  draft.set({ ...parts, status: 'running', entered: entered + 1 });
  giveBackTime(draft, at - endedAt);
  if (position !== undefined) return;
  removeBelow(draft, key);
  removeWaits(draft, key);
  const { caught: _caught, loop: _loop, map: _map, branchesEnded: _ended, gathering, extending: _extending, timeouts: _timeouts, retryUntil: _until, subscribing, ...failed } = draft.activation(key);
  draft.put('activations', key, { ...failed, value: failed.input, visits: {}, attempt: 1, ...(subscribing ? takenUp(subscribing, gathering) : {}) });
}

/** Nothing was under way between a fault and a retry: what limits time counts on from there. */
function giveBackTime(draft: ExecutionDraft, ms: number): void {
  for (const timer of Object.values(draft.state.timers)) if (isTimeLimit(timer.purpose)) draft.put('timers', timer.id, { ...timer, due: timer.due + ms });
  for (const { key, retryUntil, subscribing } of Object.values(draft.state.activations)) {
    if (retryUntil !== undefined) draft.change(key, { retryUntil: retryUntil + ms });
    if (subscribing?.until !== undefined) draft.change(key, { subscribing: { ...subscribing, until: subscribing.until + ms } });
  }
}

/** The `catch` of a cancel is over when its `try` is. */
function endHandler(draft: ExecutionDraft, key: ActivationKey): void {
  const { cancelling } = draft.state;
  if (cancelling?.handler !== key) return;
  const { handler: _handler, ...rest } = cancelling;
  draft.set({ cancelling: rest });
}

/** What an execution that has ended no longer has. */
const ENDED: Partial<ExecutionState> = { activations: {}, branches: {}, jobs: {}, timers: {}, reviews: {}, listens: {}, signals: {}, generations: {}, attempts: {} };
