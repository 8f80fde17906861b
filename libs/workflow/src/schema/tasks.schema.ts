// The twelve kinds of task.
import type { JsonObject } from '@weft/kernel';
import { CALL_ARGUMENTS } from './calls.schema.js';
import { anyObject, expression, fields, oneOfTexts, OPEN, orNameIn, ref, shaping, text, trueOrFalse, variable } from './forms.js';
import { TASK_KINDS, type TaskKind } from '../task-kind.js';

const common: JsonObject = {
  if: expression,
  input: ref('input'),
  output: ref('output'),
  export: ref('export'),
  timeout: ref('timeoutOrName'),
  then: ref('flowDirective'),
  metadata: anyObject('an object'),
};

const task = (kind: TaskKind, properties: JsonObject, more: { readonly required?: readonly string[] } & JsonObject = {}): JsonObject =>
  fields(`a \`${kind}\` task`, { ...common, ...properties }, { required: [kind], ...more });

const KINDS: Readonly<Record<TaskKind, JsonObject>> = {
  do: task('do', { do: ref('taskList') }),
  set: task('set', { set: { type: ['object', 'string'], minProperties: 1, pattern: '^\\s*\\$\\{[\\s\\S]+\\}\\s*$', title: 'an object with at least one field, or one expression `${ ... }`' } }),
  switch: task('switch', {
    switch: {
      type: 'array',
      minItems: 1,
      title: 'a list of cases, each an object with one key',
      items: {
        type: 'object',
        minProperties: 1,
        maxProperties: 1,
        title: 'a case: an object with one key, its name',
        additionalProperties: fields('a case { when?, then }', { when: expression, then: ref('flowDirective') }, { required: ['then'] }),
      },
    },
  }),
  call: task('call', { call: text('a call', { minLength: 1 }), with: anyObject('the arguments of the call, as an object') }, { allOf: CALL_ARGUMENTS }),
  try: task('try', { try: ref('taskList'), catch: ref('catch') }, { required: ['try', 'catch'] }),
  wait: task('wait', { wait: ref('duration') }),
  emit: task('emit', { emit: fields('what to emit', { event: fields('an event { with }', { with: ref('event') }, { required: ['with'], ...OPEN }) }, { required: ['event'] }) }),
  for: task(
    'for',
    { for: fields('a loop { each?, in, at? }', { each: variable, in: expression, at: variable }, { required: ['in'] }), while: expression, do: ref('taskList') },
    { required: ['for', 'do'] },
  ),
  fork: task('fork', { fork: fields('a fork { branches, compete? }', { branches: ref('taskList'), compete: trueOrFalse }, { required: ['branches'] }) }),
  listen: task('listen', {
    listen: fields('what to listen to', { to: ref('eventStrategy'), read: oneOfTexts('data', 'envelope', 'raw') }, { required: ['to'] }),
    foreach: ref('iterator'),
  }),
  raise: task('raise', { raise: fields('what to raise', { error: orNameIn('errors', 'an error', ref('error')) }, { required: ['error'] }) }),
  run: task('run', { run: ref('run') }),
};

export const TASKS: JsonObject = {
  taskList: {
    type: 'array',
    minItems: 1,
    title: 'a list of at least one task',
    items: { type: 'object', minProperties: 1, maxProperties: 1, title: 'a task: an object with one key, its name', additionalProperties: ref('task') },
  },
  task: {
    type: 'object',
    title: `a task with one of ${TASK_KINDS.join(', ')}`,
    anyOf: TASK_KINDS.map((kind) => ({ required: [kind] })),
    // The body of a loop stands under the key of another kind.
    allOf: TASK_KINDS.map((kind) => ({ if: { type: 'object', required: [kind], ...(kind === 'do' ? { not: { required: ['for'] } } : {}) }, then: ref(`${kind}Task`) })),
  },
  ...Object.fromEntries(TASK_KINDS.map((kind) => [`${kind}Task`, KINDS[kind]])),
  flowDirective: text('`continue`, `exit`, `end` or the name of a task of the same list', { minLength: 1 }),
  input: fields('an input { schema?, from? }', { schema: ref('schema'), from: shaping }),
  output: fields('an output { schema?, as? }', { schema: ref('schema'), as: shaping }),
  export: fields('an export { schema?, as? }', { schema: ref('schema'), as: shaping }),
};
