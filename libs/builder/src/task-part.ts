// A task of a document as a call of the function for its kind.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { CALLERS, type FunctionName } from './builder-functions.js';
import { callPart, fieldsOf, namedPart, objectPart, partOf, valuePart, type Field, type Part, type Reading } from './part.js';
import { isTaskList, spotInTask, type Path } from './places.js';

/** Tasks by name, each as a call. */
export const tasksPart = (list: Json | undefined): Part => namedPart(list, taskPart);

/** The call for a task. What no function has the form of is written as the standard writes it. */
export function taskPart(task: JsonObject): Part {
  const form = FORMS.find(({ key, beside = key }) => Object.hasOwn(task, key) && Object.hasOwn(task, beside));
  return form?.read(new TaskFields(task)) ?? callPart('standardTask', objectPart(new TaskFields(task).without()));
}

class TaskFields {
  readonly #reading: Reading;

  constructor(readonly task: JsonObject) {
    this.#reading = { spot: spotInTask, special: (value, path) => (isTaskList(path, task['call']) ? tasksPart(value) : undefined) };
  }

  /** The part at a path of the task. */
  at(...path: Path): Part {
    return partOf(
      path.reduce<Json>((value, key) => (value as JsonObject)[key]!, this.task),
      path,
      this.#reading,
    );
  }

  /** An object of the task, when it has none but these fields. */
  only(value: Json | undefined, allowed: readonly string[]): JsonObject | undefined {
    return isJsonObject(value) && Object.keys(value).every((key) => allowed.includes(key)) ? value : undefined;
  }

  fields(value: JsonObject, ...path: Path): Field[] {
    return fieldsOf(value, path, this.#reading);
  }

  /** The fields of the task but these. */
  without(...keys: readonly string[]): Field[] {
    return fieldsOf(Object.fromEntries(Object.entries(this.task).filter(([key]) => !keys.includes(key))), [], this.#reading);
  }

  /** The call of a function, with what is left of the task as its options. */
  call(name: FunctionName, args: readonly Part[], keys: readonly string[], options: readonly Field[] = []): Part {
    const all = [...options, ...this.without(...keys)];
    return callPart(name, ...args, ...(all.length > 0 ? [objectPart(all)] : []));
  }
}

interface Form {
  readonly key: string;
  /** A second key that has to be there. */
  readonly beside?: string;
  /** Undefined when the task has more than the function takes. */
  readonly read: (fields: TaskFields) => Part | undefined;
}

// The body of a loop stands under the key of another kind, so loops come first.
const FORMS: readonly Form[] = [
  { key: 'for', beside: 'do', read: loopPart },
  { key: 'do', read: (task) => task.call('sequence', [task.at('do')], ['do']) },
  { key: 'set', read: (task) => task.call('set', [task.at('set')], ['set']) },
  { key: 'wait', read: (task) => task.call('wait', [task.at('wait')], ['wait']) },
  { key: 'raise', read: (task) => (task.only(task.task['raise'], ['error']) ? task.call('raise', [task.at('raise', 'error')], ['raise']) : undefined) },
  { key: 'switch', read: switchPart },
  { key: 'try', beside: 'catch', read: (task) => task.call('attempt', [task.at('try'), task.at('catch')], ['try', 'catch']) },
  { key: 'fork', read: forkPart },
  { key: 'emit', read: emitPart },
  { key: 'listen', read: listenPart },
  { key: 'run', read: runPart },
  { key: 'call', read: callTaskPart },
];

function loopPart(task: TaskFields): Part | undefined {
  const loop = task.only(task.task['for'], ['each', 'in', 'at']);
  if (!loop) return undefined;
  const goesOn: Field[] = Object.hasOwn(task.task, 'while') ? [['while', task.at('while')]] : [];
  return task.call('forEach', [objectPart([...task.fields(loop, 'for'), ...goesOn]), task.at('do')], ['for', 'while', 'do']);
}

function switchPart(task: TaskFields): Part {
  const read = (one: JsonObject): Part => objectPart(Object.entries(one).map(([key, value]) => [key, partOf(value, ['switch', key], { spot: spotInTask })]));
  return task.call('cases', [namedPart(task.task['switch'], read)], ['switch']);
}

function forkPart(task: TaskFields): Part | undefined {
  const fork = task.only(task.task['fork'], ['branches', 'compete']);
  return fork && task.call('fork', [task.at('fork', 'branches')], ['fork'], optional(task, fork, 'fork', 'compete'));
}

function emitPart(task: TaskFields): Part | undefined {
  const event = task.only(task.only(task.task['emit'], ['event'])?.['event'], ['with']);
  return event && task.call('emit', [task.at('emit', 'event', 'with')], ['emit']);
}

function listenPart(task: TaskFields): Part | undefined {
  const listen = task.only(task.task['listen'], ['to', 'read']);
  return listen && task.call('listen', [task.at('listen', 'to')], ['listen'], optional(task, listen, 'listen', 'read'));
}

const PROCESSES = { container: 'runContainer', script: 'runScript', shell: 'runShell', workflow: 'runWorkflow' } as const;

function runPart(task: TaskFields): Part | undefined {
  const kind = (Object.keys(PROCESSES) as (keyof typeof PROCESSES)[]).find((candidate) => isJsonObject(task.task['run']) && Object.hasOwn(task.task['run'], candidate));
  const run = kind && task.only(task.task['run'], [kind, 'await', 'return']);
  return kind && run && task.call(PROCESSES[kind], [task.at('run', kind)], ['run'], [...optional(task, run, 'run', 'await'), ...optional(task, run, 'run', 'return')]);
}

function callTaskPart(task: TaskFields): Part | undefined {
  const { call: name, with: args } = task.task;
  if (typeof name !== 'string' || !isJsonObject(args)) return undefined;
  const isCaller = Object.hasOwn(CALLERS, name);
  return task.call(isCaller ? (name as FunctionName) : 'call', [...(isCaller ? [] : [valuePart(name)]), task.at('with')], ['call', 'with']);
}

const optional = (task: TaskFields, within: JsonObject, key: string, field: string): Field[] => (Object.hasOwn(within, field) ? [[field, task.at(key, field)]] : []);
