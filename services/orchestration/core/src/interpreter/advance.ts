// One decision in the making: records events, folds them at once, and steps until everything waits for the outside.
import { invariant, type DecideContext, type Instant, type Json } from '@weft/kernel';
import type { ActivationKey, ExecutionEvent, FailedTask } from '../execution/execution.events.js';
import { payloadFieldsOf } from '../execution/event.codec.js';
import { ExecutionDraft } from '../execution/execution.draft.js';
import { evolveDraft } from '../execution/execution.evolve.js';
import type { ExecutionDecision } from '../execution/execution.decide.js';
import { isEnded, ROOT, TASKS_ENTERED_MAX, type Activation, type ExecutionState } from '../execution/execution.state.js';
import { contextAt } from '../execution/execution.context.js';
import { EvaluationFailed } from '../program/evaluation-failed.js';
import { ExpressionFailed, type Evaluate, type Variables } from '../program/expression.js';
import type { Program, Scope, Task, TaskBase } from '../program/program.js';
import { errorJson, standardError, type WorkflowError } from '../program/workflow-error.js';
import { goOnAgent } from './agent.js';
import { completeTask } from './complete.js';
import { endHandler } from './cancel.js';
import { enterBranch, enterTask, rerunTask, runOwn } from './enter.js';
import { raiseEvaluationFault } from './evaluation-fault.js';
import { runtimeDescriptor, taskDescriptor, workflowDescriptor, type DescribedAt } from './descriptors.js';
import { isInExtension, nextExtension } from './extension.js';
import { hear, hearOn, type ListenTask } from './listen.js';
import { beginPass, itemOf } from './loop.js';
import { consume, consumeOn } from './consume.js';
import { behavesBy, type EngineFlag } from '../upgrade/engine-flags.js';
import { goOnMap } from './map.js';
import { raiseError } from './raise.js';
import { roughSize } from './rough-size.js';
import { beginAttempt } from './retry.js';
import { scopeIn } from './scope-in.js';

/** When who failed may be asked again; absent: at once. */
export interface RaiseWait {
  readonly notBefore?: Instant;
}

/** The next thing to do at once. `undefined`: nothing, the execution waits or has ended. */
export type Step =
  | { readonly go: 'enter'; readonly scope: ActivationKey; readonly position: number }
  | { readonly go: 'complete'; readonly key: ActivationKey; readonly output: Json; readonly then?: string }
  | { readonly go: 'branch'; readonly scope: ActivationKey; readonly branch: number }
  | { readonly go: 'pass'; readonly scope: ActivationKey; readonly index: number }
  | { readonly go: 'leave'; readonly scope: ActivationKey }
  /** A `listen` takes what is kept for it. */
  | { readonly go: 'hear'; readonly key: ActivationKey }
  /** A subscription takes the messages that were collected, and has more collected. */
  | { readonly go: 'consume'; readonly key: ActivationKey }
  /**
   * `inside`: raised by a task of this scope (of a fork: by that branch), rather than by the activation itself.
   * `origin`: the activation that failed first, where it is another.
   */
  | ({ readonly go: 'raise'; readonly key: ActivationKey; readonly error: WorkflowError; readonly inside?: true; readonly branch?: number; readonly origin?: ActivationKey } & RaiseWait)
  /** An agent goes on, or fails with what its turn failed with. */
  | ({ readonly go: 'agent'; readonly key: ActivationKey; readonly error?: WorkflowError } & RaiseWait)
  /** A `map` starts more of its items, or is done. */
  | { readonly go: 'map'; readonly key: ActivationKey }
  /** Begins an attempt of a `try` whose time is limited. */
  | { readonly go: 'attempt'; readonly key: ActivationKey }
  /** Runs a task that was entered before once more, on the input it had. */
  | { readonly go: 'run'; readonly key: ActivationKey }
  /** Runs a task itself, after the extensions before it. */
  | { readonly go: 'own'; readonly key: ActivationKey }
  | undefined;

/** What may end a fork, or a branch of one, that has branches still to be entered. */
const ENDS_BRANCHES: ReadonlySet<ExecutionEvent['type']> = new Set([
  'RetryScheduled',
  'ErrorCaught',
  'BranchFailed',
  'BranchesJoined',
  'CancelCaught',
  'CancelHandlerEnded',
  'ExecutionCompleted',
  'ExecutionFaulted',
  'ExecutionCancelled',
]);

/** What begins an activation anew, or the next thing in a `try`: what was to follow before does not. */
const BEGINS_ANEW: ReadonlySet<ExecutionEvent['type']> = new Set(['TaskEntered', 'RetryScheduled', 'ErrorCaught', 'CancelCaught']);

/** Steps that each result of many leads to: when what comes after the task runs, one before has led there. */
const MAY_COME_TWICE: ReadonlySet<NonNullable<Step>['go']> = new Set(['map', 'agent', 'hear']);

/** Enters one branch of a fork. */
export type BranchStep = Extract<Step, { go: 'branch' }>;

const NO_VARIABLES: Variables = { context: null, input: null, output: null, task: null, workflow: null, runtime: null };

/** Steps of one decision; what is left is taken by the next ones. Keeps a loop that never waits from holding up its neighbours, and its rows small. */
export const STEPS_PER_DECISION_MAX = 2_000;
/** Characters of data that one decision records, about. */
export const CHARACTERS_PER_DECISION_MAX = 4 * 1024 * 1024;

export class Advance {
  #steps = 0;
  #characters = 0;
  readonly #events: ExecutionEvent[] = [];
  readonly #draft: ExecutionDraft;
  /** Branches that are still to be entered. */
  #waiting: BranchStep[] = [];
  /** Where several steps are taken: activations that began anew by one of them. */
  #anew: Set<ActivationKey> | undefined;

  constructor(
    state: ExecutionState,
    readonly program: Program,
    readonly context: DecideContext,
  ) {
    this.#draft = new ExecutionDraft(state);
  }

  /** The state with everything that was recorded so far. */
  get state(): ExecutionState {
    return this.#draft.state;
  }

  /** Whether the execution behaves by an engine flag: it started when the engine did already. */
  has(flag: EngineFlag): boolean {
    return behavesBy(this.state, flag);
  }

  /** Whether several steps are taken one after the other, each without knowing of those that come after it. */
  get takesSeveral(): boolean {
    return this.#anew !== undefined;
  }

  record(event: ExecutionEvent): void {
    this.#events.push(event);
    for (const field of payloadFieldsOf(event)) {
      const data = (event as unknown as Readonly<Record<string, Json | undefined>>)[field];
      if (data !== undefined) this.#characters += roughSize(data, CHARACTERS_PER_DECISION_MAX);
    }
    evolveDraft(this.#draft, event);
    if (this.#anew && BEGINS_ANEW.has(event.type) && 'key' in event) this.#anew.add(event.key);
    if (this.#waiting.length > 0 && ENDS_BRANCHES.has(event.type)) this.#waiting = this.#waiting.filter((step) => this.#isOpen(step.scope, event));
  }

  /** Branches to enter in this decision, when the step at hand has come to wait. */
  later(steps: readonly BranchStep[]): void {
    this.#waiting.push(...steps);
  }

  /**
   * Steps until everything waits, and returns what was decided. While the execution is suspended a step is recorded instead of
   * taken. Several are taken one after the other; one whose activation is gone by then, or was entered anew by a retried `try`, is
   * left out, and one that a fault came before is recorded for the retry. A decision that grows too long records what is left too,
   * with a timer that is due at once.
   */
  finish(...steps: readonly Step[]): ExecutionDecision {
    const given = steps.length === 0 ? [undefined] : steps;
    if (given.length > 1) this.#anew = new Set();
    given.forEach((first, index) => {
      if (first !== undefined && index > 0 && !this.#isAmong(this.state.activations, first)) return this.#isAmong(this.state.interrupted?.activations, first) ? this.#hold(first) : undefined;
      if (first !== undefined && (this.state.status === 'suspended' || this.#isLong)) return this.#hold(first);
      let step = first ?? this.#next();
      for (; step !== undefined && !this.#isLong; step = this.#take(step) ?? this.#next()) this.#steps++;
      // Branches that were not entered are found again without a note.
      if (step !== undefined && step.go !== 'branch') this.#hold(step);
    });
    if (this.#isLong && !isEnded(this.state)) this.record({ type: 'TimerSet', key: ROOT, timer: `yield@${this.state.entered}.${this.context.now}`, purpose: 'yield', due: this.context.now });
    return { kind: 'accepted', events: this.#events, effects: [], after: this.state };
  }

  activation(key: ActivationKey): Activation {
    const found = this.state.activations[key];
    invariant(found, `no activation ${key || '(root)'}`);
    return found;
  }

  pointerOf(key: ActivationKey): string {
    return this.activation(key).pointer;
  }

  taskOf(key: ActivationKey): Task {
    const task = this.program.tasks.get(this.pointerOf(key));
    invariant(task, `no task ${this.pointerOf(key)} in the definition that the execution is pinned to`);
    return task;
  }

  /** The scope that runs inside an activation. */
  scopeOf(key: ActivationKey): Scope {
    const activation = this.activation(key);
    const scope = scopeIn(this.program, activation, activation.pointer);
    invariant(scope, `no task list in ${activation.pointer || 'the workflow'}`);
    return scope;
  }

  /** Ids are derived from the state, so that deciding again gives the same. */
  reviewId(): string {
    return `${this.state.executionId}.${this.state.entered}.${this.state.asked}`;
  }

  timerId(key: ActivationKey, attempt = this.activation(key).attempt): string {
    return `${key}@${this.state.entered}.${attempt}`;
  }

  /** Evaluates with the variables that are visible at an activation; `isInside`: to the tasks of its list. */
  evaluate<T extends Json>(
    evaluate: ((input: Json, variables: Variables, now: Instant) => T) & Pick<Evaluate, 'reads'>,
    input: Json,
    at: DescribedAt & { readonly task?: TaskBase; readonly output?: Json; readonly extra?: Readonly<Record<string, Json>> },
  ): T {
    const { reads = 'all' } = evaluate;
    if (reads === 'nothing') return evaluate(input, NO_VARIABLES, this.context.now);
    const isDescribed = reads === 'all';
    const variables: Variables = {
      ...this.#surroundings(at.key, at.isInside === true),
      context: contextAt(this.state, at.key),
      input: at.taskInput ?? null,
      output: at.output ?? null,
      task: isDescribed && at.task ? taskDescriptor(this, at.task, at) : null,
      workflow: isDescribed ? workflowDescriptor(this) : null,
      runtime: isDescribed ? runtimeDescriptor(this) : null,
      ...at.extra,
    };
    return evaluate(input, variables, this.context.now);
  }

  /** Errors that surrounding catches handle, and items of surrounding loops. */
  #surroundings(key: ActivationKey, isInside: boolean): Record<string, Json> {
    // Without the names that every object knows: an author may choose those too.
    const found = Object.create(null) as Record<string, Json>;
    const { activations } = this.state;
    const start = activations[key];
    for (let at = isInside || start?.parent === undefined ? start : activations[start.parent]; at; at = at.parent === undefined ? undefined : activations[at.parent]) {
      if (at.caught === undefined && !at.loop && !at.gathering) continue;
      const task = this.program.tasks.get(at.pointer);
      if (task?.kind === 'try' && at.caught !== undefined) found[task.catch.as] ??= at.caught;
      if ((task?.kind === 'listen' || task?.kind === 'subscription') && task.foreach && at.gathering) {
        if (!(task.foreach.item in found)) found[task.foreach.item] = at.gathering.item ?? null;
        if (!(task.foreach.at in found)) found[task.foreach.at] = at.gathering.index;
      }
      if (task?.kind !== 'for' || !at.loop) continue;
      if (!(task.each in found)) found[task.each] = itemOf(at.loop, at.loop.index);
      if (!(task.at in found)) found[task.at] = at.loop.index;
    }
    return found;
  }

  get #isLong(): boolean {
    return this.#steps >= STEPS_PER_DECISION_MAX || this.#characters >= CHARACTERS_PER_DECISION_MAX;
  }

  #next(): Step {
    return this.#waiting.shift();
  }

  /** Whether the activation of a step goes on, and not another one under its key. */
  #isAmong(activations: ExecutionState['activations'] | undefined, step: NonNullable<Step>): boolean {
    const key = keyOf(step);
    return activations?.[key] !== undefined && this.#anew?.has(key) !== true;
  }

  /** Whether the branches of a fork may still be entered after an event. */
  #isOpen(fork: ActivationKey, event: ExecutionEvent): boolean {
    return fork in this.state.activations && !(event.type === 'BranchesJoined' && event.key === fork);
  }

  /** Records what a result leads to. An output that is the activation's own value is not stored twice. */
  #hold(step: NonNullable<Step>): void {
    const { output, error, ...rest } = step as { readonly output?: Json; readonly error?: WorkflowError } & Record<string, Json>;
    const { activations, interrupted } = this.state;
    const isOwn = output === undefined || (step.go === 'complete' && output === (activations[step.key] ?? interrupted?.activations[step.key])?.value);
    this.record({ type: 'StepHeld', key: keyOf(step), step: rest, ...(isOwn ? {} : { output }), ...(error ? { error: errorJson(error) } : {}) });
  }

  #take(step: NonNullable<Step>): Step {
    if (this.state.entered > TASKS_ENTERED_MAX) {
      return this.fault(standardError('runtime', '/', 'too-many-tasks', `Expected at most ${TASKS_ENTERED_MAX} tasks in one execution: does a \`then\` jump back for ever?`));
    }
    if (MAY_COME_TWICE.has(step.go) && isInExtension(this.activation(keyOf(step)))) return undefined;
    try {
      switch (step.go) {
        case 'enter':
          return enterTask(this, step.scope, step.position);
        case 'branch':
          return enterBranch(this, step.scope, step.branch);
        case 'pass':
          return beginPass(this, step.scope, step.index);
        case 'complete':
          return completeTask(this, step.key, step.output, step.then);
        case 'leave':
          return this.#leave(step.scope);
        case 'hear':
          return hear(this, step.key);
        case 'consume':
          return consume(this, step.key);
        case 'raise':
          return raiseError(this, step);
        case 'agent':
          return goOnAgent(this, step.key, step.error, step);
        case 'map':
          return goOnMap(this, step.key);
        case 'run':
          return rerunTask(this, step.key);
        case 'attempt':
          return beginAttempt(this, step.key);
        case 'own':
          return runOwn(this, this.taskOf(step.key), step.key, this.activation(step.key).input);
      }
    } catch (fault) {
      if (!(fault instanceof EvaluationFailed)) throw fault;
      return raiseEvaluationFault(this, step, fault);
    }
  }

  #leave(key: ActivationKey): Step {
    const activation = this.activation(key);
    const { value, loop, gathering } = activation;
    if (isInExtension(activation)) return nextExtension(this, key);
    if (loop) return { go: 'pass', scope: key, index: loop.index + 1 };
    if (gathering) return this.#afterItem(key);
    return key === ROOT ? this.complete(value) : { go: 'complete', key, output: value };
  }

  #afterItem(key: ActivationKey): Step {
    const task = this.taskOf(key);
    return task.kind === 'subscription' ? consumeOn(this, task, key) : hearOn(this, task as ListenTask, key);
  }

  /** Ends the workflow with an output. */
  complete(raw: Json): Step {
    if (this.state.cancelling) return endHandler(this);
    const { outputAs, outputCheck } = this.program;
    let output = raw;
    try {
      if (outputAs) output = this.evaluate(outputAs, raw, { key: ROOT, output: raw });
      outputCheck?.(output);
    } catch (fault) {
      if (!(fault instanceof EvaluationFailed)) throw fault;
      return this.fault(fault.errorAt(fault instanceof ExpressionFailed ? '/output/as' : '/output'));
    }
    this.record({ type: 'ExecutionCompleted', at: this.context.now, output });
    return undefined;
  }

  /** Ends the workflow with an error that nothing caught. @param task where a retry may go on. */
  fault(error: WorkflowError, task?: FailedTask): Step {
    if (this.state.cancelling) return endHandler(this, error);
    this.record({ type: 'ExecutionFaulted', at: this.context.now, errorType: error.type, error: errorJson(error), ...(task ? { task } : {}) });
    return undefined;
  }
}

/** The activation that a step is about. */
export const keyOf = (step: NonNullable<Step>): ActivationKey => ('scope' in step ? step.scope : step.key);
