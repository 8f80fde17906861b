// One decision in the making: records events, folds them at once, and steps until everything waits for the outside.
import { invariant, type DecideContext, type Json } from '@weft/kernel';
import type { ActivationKey, ExecutionEvent } from '../execution/execution.events.js';
import { ExecutionDraft } from '../execution/execution.draft.js';
import { evolveDraft } from '../execution/execution.evolve.js';
import type { ExecutionDecision } from '../execution/execution.decide.js';
import { ROOT, TASKS_ENTERED_MAX, type Activation, type ExecutionState } from '../execution/execution.state.js';
import { ExpressionFailed, type Evaluate, type Variables } from '../program/expression.js';
import type { Program, Scope, Task, TaskBase } from '../program/program.js';
import { errorJson, standardError, type WorkflowError } from '../program/workflow-error.js';
import { completeTask } from './complete.js';
import { enterTask } from './enter.js';
import { raiseError } from './raise.js';

/** The next thing to do at once. `undefined`: nothing, the execution waits or has ended. */
export type Step =
  | { readonly go: 'enter'; readonly scope: ActivationKey; readonly position: number }
  | { readonly go: 'complete'; readonly key: ActivationKey; readonly output: Json; readonly then?: string }
  | { readonly go: 'leave'; readonly scope: ActivationKey }
  /** `inside`: raised by a task of this scope, rather than by the activation itself. */
  | { readonly go: 'raise'; readonly key: ActivationKey; readonly error: WorkflowError; readonly inside?: true }
  | undefined;

const RUNTIME: Json = { name: 'weft', version: '0.1.0' };

export class Advance {
  readonly #events: ExecutionEvent[] = [];
  readonly #draft: ExecutionDraft;

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

  record(event: ExecutionEvent): void {
    this.#events.push(event);
    evolveDraft(this.#draft, event);
  }

  /** Steps until everything waits, and returns what was decided. */
  finish(first: Step): ExecutionDecision {
    let step = first;
    while (step !== undefined) step = this.#take(step);
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

  /** The scope that runs inside an activation: its `catch` while it handles an error, else its own tasks. */
  scopeOf(key: ActivationKey): Scope {
    const { pointer, caught } = this.activation(key);
    const scope = this.program.scopes.get(caught === undefined ? pointer : `${pointer}/catch`);
    invariant(scope, `no task list in ${pointer || 'the workflow'}`);
    return scope;
  }

  /** Ids are derived from the state, so that deciding again gives the same. */
  reviewId(): string {
    return `${this.state.executionId}.${this.state.entered}.${Object.keys(this.state.reviews).length}`;
  }

  timerId(key: ActivationKey): string {
    return `${key}@${this.state.entered}.${this.activation(key).attempt}`;
  }

  /** Evaluates with the variables that are visible at an activation. */
  evaluate(
    evaluate: Evaluate,
    input: Json,
    at: { readonly task?: TaskBase; readonly key: ActivationKey; readonly taskInput?: Json; readonly output?: Json; readonly extra?: Readonly<Record<string, Json>> },
  ): Json {
    const { state } = this;
    const variables: Variables = {
      ...this.#caughtErrors(at.key),
      context: state.exported,
      input: at.taskInput ?? null,
      output: at.output ?? null,
      task: at.task ? { name: at.task.name, reference: at.task.pointer, definition: at.task.definition, input: at.taskInput ?? null } : null,
      workflow: {
        id: state.executionId,
        definition: this.program.definition,
        input: state.input,
        startedAt: { epoch: { seconds: Math.floor(state.startedAt / 1000), milliseconds: state.startedAt } },
      },
      runtime: RUNTIME,
      ...at.extra,
    };
    return evaluate(input, variables, this.context.now);
  }

  #caughtErrors(key: ActivationKey): Record<string, Json> {
    const errors: Record<string, Json> = {};
    for (let at: Activation | undefined = this.state.activations[key]; at?.parent !== undefined; at = this.state.activations[at.parent]) {
      const holder: Activation | undefined = this.state.activations[at.parent];
      if (holder?.caught === undefined) continue;
      const task = this.program.tasks.get(holder.pointer);
      if (task?.kind === 'try' && !(task.catch.as in errors)) errors[task.catch.as] = holder.caught;
    }
    return errors;
  }

  #take(step: NonNullable<Step>): Step {
    if (this.state.entered > TASKS_ENTERED_MAX) {
      return this.fault(standardError('runtime', '/', 'too-many-tasks', `Expected at most ${TASKS_ENTERED_MAX} tasks in one execution: does a \`then\` jump back for ever?`));
    }
    const key = step.go === 'enter' || step.go === 'leave' ? step.scope : step.key;
    try {
      switch (step.go) {
        case 'enter':
          return enterTask(this, step.scope, step.position);
        case 'complete':
          return completeTask(this, step.key, step.output, step.then);
        case 'leave':
          return this.#leave(step.scope);
        case 'raise':
          return raiseError(this, step.key, step.error, step.inside === true);
      }
    } catch (fault) {
      if (!(fault instanceof ExpressionFailed)) throw fault;
      if (step.go === 'enter') {
        const instance = this.scopeOf(key).tasks[step.position]?.pointer ?? '/';
        return { go: 'raise', key, inside: true, error: standardError('expression', instance, 'expression-failed', fault.message) };
      }
      // An expression of the catch clause itself fails outside its own try: never caught by itself.
      const at = step.go === 'raise' ? (this.activation(key).parent ?? ROOT) : key;
      return { go: 'raise', key: at, error: standardError('expression', this.pointerOf(at) || '/', 'expression-failed', fault.message) };
    }
  }

  #leave(key: ActivationKey): Step {
    if (key !== ROOT) return { go: 'complete', key, output: this.activation(key).value };
    return this.complete(this.activation(ROOT).value);
  }

  /** Ends the workflow with an output. */
  complete(raw: Json): Step {
    const { outputAs } = this.program;
    let output = raw;
    if (outputAs) {
      try {
        output = this.evaluate(outputAs, raw, { key: ROOT, output: raw });
      } catch (fault) {
        if (!(fault instanceof ExpressionFailed)) throw fault;
        return this.fault(standardError('expression', '/output/as', 'expression-failed', fault.message));
      }
    }
    this.record({ type: 'ExecutionCompleted', at: this.context.now, output });
    return undefined;
  }

  /** Ends the workflow with an error that nothing caught. */
  fault(error: WorkflowError): Step {
    this.record({ type: 'ExecutionFaulted', at: this.context.now, errorType: error.type, error: errorJson(error) });
    return undefined;
  }
}
