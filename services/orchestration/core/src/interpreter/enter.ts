import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import { segmentsOf } from '@weft/workflow';
import type { Task } from '../program/program.js';
import { inputInvalid } from '../program/workflow-error.js';
import { askedReview } from '../review/review.ask.js';
import type { Advance, Step } from './advance.js';
import { runAgent } from './agent.js';
import { beginExtensions } from './extension.js';
import { argumentsOf } from './call-arguments.js';
import { runWorkflow } from './children.js';
import { scheduleJob } from './schedule-job.js';
import { emit } from './emit.js';
import { branchEnded, enterBranches, type ForkTask } from './fork.js';
import { beginSubscription } from './consume.js';
import { callFunction } from './function-call.js';
import { listen } from './listen.js';
import { beginLoop } from './loop.js';
import { beginMap } from './map.js';
import { raise } from './raise-task.js';
import { beginTry } from './retry.js';
import { limitTime } from './time-limit.js';

/** Enters the task at a position of a scope; past the last one the scope is left. */
export function enterTask(advance: Advance, scope: ActivationKey, position: number): Step {
  const task = advance.scopeOf(scope).tasks[position];
  if (!task) return { go: 'leave', scope };
  const visits = advance.activation(scope).visits[task.pointer] ?? 0;
  const iteration = iterationIn(advance, scope);
  const key = enter(advance, task, scope, visits === 0 ? iteration : join(iteration, `${levelOf(advance, scope)}.${firstName(advance, task)}:${visits}`));
  return key === undefined ? { go: 'enter', scope, position: position + 1 } : runTask(advance, task, key, advance.activation(key).input);
}

/** The name that a task had when the execution first knew it: rounds are counted under it, and effects keep their keys. */
function firstName({ state }: Advance, { name, pointer }: Task): string {
  const origin = state.origins?.[pointer];
  return origin === undefined ? name : segmentsOf(origin).at(-1)!;
}

/** Enters a branch of a fork. */
export function enterBranch(advance: Advance, fork: ActivationKey, branch: number): Step {
  const { branches } = advance.taskOf(fork) as ForkTask;
  const task = branches[branch]!;
  const key = enter(advance, task, fork, advance.activation(fork).iteration, branch);
  return key === undefined ? branchEnded(advance, fork) : runTask(advance, task, key, advance.activation(key).input);
}

/** Data flow order: `if`, `input.schema`, `input.from`; the timeout begins with the activation. @returns undefined when the task is skipped. */
function enter(advance: Advance, task: Task, parent: ActivationKey, iteration: string, branch?: number): ActivationKey | undefined {
  const raw = advance.activation(parent).value;
  const at = { task, key: parent, isInside: true };
  const ofBranch = branch === undefined ? {} : { branch };
  if (task.if && advance.evaluate(task.if, raw, at) !== true) {
    advance.record({ type: 'TaskSkipped', pointer: task.pointer, parent, ...ofBranch });
    return undefined;
  }
  task.inputCheck?.(raw);
  const key = iteration === '' ? task.pointer : `${task.pointer}#${iteration}`;
  const input = task.inputFrom ? advance.evaluate(task.inputFrom, raw, at) : undefined;
  const timeoutMs = task.timeout && advance.evaluate(task.timeout, input ?? raw, { ...at, taskInput: input ?? raw });
  advance.record({ type: 'TaskEntered', key, pointer: task.pointer, iteration, parent, at: advance.context.now, ...(input === undefined ? {} : { input }), ...ofBranch });
  if (timeoutMs !== undefined) limitTime(advance, key, 'timeout', timeoutMs);
  return key;
}

/** The iteration of the tasks of a scope: that of the scope, and in a loop or a `foreach` which pass of it. */
function iterationIn(advance: Advance, scope: ActivationKey): string {
  const { iteration, loop, gathering } = advance.activation(scope);
  const pass = loop ?? gathering;
  return pass ? join(iteration, `${levelOf(advance, scope)}[${pass.index}]`) : iteration;
}

const join = (path: string, segment: string): string => (path === '' ? segment : `${path},${segment}`);

/** How deep the tasks of a scope are, from 1. It keeps apart the rounds of a task and of one inside it that has the same name. */
function levelOf(advance: Advance, scope: ActivationKey): number {
  let level = 0;
  for (let key: ActivationKey | undefined = scope; key !== undefined; key = advance.activation(key).parent) level++;
  return level;
}

/** Runs an activation that was entered before once more, with all its time. */
export function rerunTask(advance: Advance, key: ActivationKey): Step {
  const task = advance.taskOf(key);
  const { input } = advance.activation(key);
  if (task.timeout) limitTime(advance, key, 'timeout', advance.evaluate(task.timeout, input, { task, key, taskInput: input }));
  return runTask(advance, task, key, input);
}

/** Runs an activation on its input: the extensions before it, then the task itself. */
export function runTask(advance: Advance, task: Task, key: ActivationKey, input: Json): Step {
  const extension = task.extensions ? beginExtensions(advance, task, key, input) : 'none';
  return extension === 'none' ? runOwn(advance, task, key, input) : extension;
}

/** Runs what a task itself is about: at once, or until something outside answers. */
export function runOwn(advance: Advance, task: Task, key: ActivationKey, input: Json): Step {
  const { now } = advance.context;
  const at = { task, key, taskInput: input };
  switch (task.kind) {
    case 'do':
      return { go: 'enter', scope: key, position: 0 };
    case 'function':
      return callFunction(advance, task, key, input);
    case 'try':
      return beginTry(advance, task, key, input);
    case 'for':
      return beginLoop(advance, task, key, input);
    case 'fork':
      return enterBranches(advance, task, key);
    case 'listen':
      return listen(advance, task, key, input);
    case 'set':
      return { go: 'complete', key, output: advance.evaluate(task.value, input, at) };
    case 'switch': {
      const chosen = task.cases.find(({ when }) => !when || advance.evaluate(when, input, at) === true);
      if (!chosen) return { go: 'complete', key, output: input };
      advance.record({ type: 'CaseChosen', key, name: chosen.name });
      return { go: 'complete', key, output: input, then: chosen.then };
    }
    case 'raise':
      return raise(advance, task, key, input);
    case 'emit':
      return emit(advance, task, key, input);
    case 'wait':
      advance.record({ type: 'TimerSet', key, timer: advance.timerId(key), purpose: 'wait', due: now + advance.evaluate(task.duration, input, at) });
      return undefined;
    case 'review': {
      const asked = askedReview(advance.evaluate(task.arguments, input, at), task.name, now);
      if (typeof asked === 'string') return { go: 'raise', key, error: inputInvalid(task, asked) };
      const { terms, title, subject, form } = asked;
      const more = { ...(terms ? { terms } : {}), title, subject, ...(form === undefined ? {} : { form }) };
      advance.record({ type: 'ReviewRequested', key, review: advance.reviewId(), kind: 'approval', at: now, ...more });
      return undefined;
    }
    case 'run-workflow':
      return runWorkflow(advance, task, key, input);
    case 'map':
      return beginMap(advance, task, key, input);
    case 'agent':
      return runAgent(advance, task, key, input);
    case 'subscription':
      return beginSubscription(advance, task, key, input);
    case 'job': {
      const given = argumentsOf(advance, task, key, input);
      if (typeof given !== 'object' || given === null) return { go: 'raise', key, error: inputInvalid(task, `Expected the arguments of ${task.job} to be an object.`) };
      scheduleJob(advance, key, task.job, given);
      return undefined;
    }
  }
}
