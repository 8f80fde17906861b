// The part of the Open Workflow Specification 1.0.3 that this engine carries out, as one JSON Schema. The types are document.ts.
// `title` is what a message says was expected; `notYet` lists fields of the standard that are refused for now.
import type { JsonObject } from '@weft/kernel';
import type { TaskKind } from './document.js';
import { FUNCTION_NAMES, FUNCTIONS } from './functions.js';

/** The kinds of task that this engine carries out. */
export const TASK_KINDS: readonly TaskKind[] = ['do', 'set', 'switch', 'call', 'try', 'wait', 'emit', 'raise', 'for', 'fork', 'listen'];

/** Kinds of the standard that it does not carry out yet. */
export const NOT_YET_KINDS: readonly string[] = ['run'];

/** Texts that `call` may be. */
export const CALL_PATTERN = `^(?:http|(?:${FUNCTION_NAMES.join('|')})(?::1\\.0\\.0@default)?)$`;

const ref = (name: string): JsonObject => ({ $ref: `#/$defs/${name}` });
const fields = (title: string, properties: JsonObject, more: { required?: readonly string[]; notYet?: readonly string[] } & JsonObject = {}): JsonObject => ({
  type: 'object',
  title,
  additionalProperties: false,
  properties,
  ...more,
});
const text = (title: string, more: JsonObject = {}): JsonObject => ({ type: 'string', title, ...more });

const ONE_LINE_EXPRESSION = '\\s*\\$\\{.+\\}\\s*';
const SCHEME = '[A-Za-z][A-Za-z0-9+.-]*://';
const SEMVER_IDENTIFIERS = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)';
const SEMVER = `^(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)(?:-${SEMVER_IDENTIFIERS}(?:\\.${SEMVER_IDENTIFIERS})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`;
const name = text('a name of 1 to 63 letters, digits and inner hyphens', { pattern: '^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$' });
const expression = text('a jq expression', { minLength: 1 });
const shaping: JsonObject = { type: ['string', 'object'], minLength: 1, title: 'a jq expression, or an object with expressions in it' };
const uriOrExpression = (title: string): JsonObject => text(title, { pattern: `^(?:${ONE_LINE_EXPRESSION}|${SCHEME}\\S+)$` });
const textsOrExpression = (title: string): JsonObject => ({
  type: ['object', 'string'],
  title,
  pattern: `^${ONE_LINE_EXPRESSION}$`,
  additionalProperties: text('text (numbers and booleans in quotes)'),
});
const anyObject = (title: string): JsonObject => ({ type: 'object', title });

const variable = text('the name of a variable: letters, digits and underscores', { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' });

const taskCommon: JsonObject = {
  if: expression,
  input: fields('the input of a task', { from: shaping }, { notYet: ['schema'] }),
  output: fields('the output of a task', { as: shaping }, { notYet: ['schema'] }),
  export: fields('the export of a task', { as: shaping }, { notYet: ['schema'] }),
  then: ref('flowDirective'),
  metadata: anyObject('an object'),
};

const task = (kind: TaskKind, properties: JsonObject, more: { required?: readonly string[] } & JsonObject = {}): JsonObject =>
  fields(`a \`${kind}\` task`, { ...taskCommon, ...properties }, { required: [kind], notYet: ['timeout'], ...more });

const withArguments = (call: string, schema: JsonObject): JsonObject => ({
  if: { properties: { call: { type: 'string', pattern: call } }, required: ['call'] },
  // A function whose arguments are all optional on paper still needs some: each has at least one that must be there.
  then: { required: ['with'], properties: { with: schema } },
});

const TASKS: Readonly<Record<TaskKind, JsonObject>> = {
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
  call: task(
    'call',
    { call: text('a call', { pattern: CALL_PATTERN }), with: anyObject('the arguments of the call, as an object') },
    {
      allOf: [withArguments('^http$', ref('httpArguments')), ...FUNCTION_NAMES.map((name) => withArguments(`^${name}(?::|$)`, ref(`${name}Arguments`)))],
    },
  ),
  try: task('try', { try: ref('taskList'), catch: ref('catch') }, { required: ['try', 'catch'] }),
  wait: task('wait', { wait: ref('duration') }),
  emit: task('emit', { emit: fields('what to emit', { event: fields('an event { with }', { with: ref('event') }, { required: ['with'] }) }, { required: ['event'] }) }),
  for: task(
    'for',
    {
      for: fields('a loop { each?, in, at? }', { each: variable, in: expression, at: variable }, { required: ['in'] }),
      while: expression,
      do: ref('taskList'),
    },
    { required: ['for', 'do'] },
  ),
  fork: task('fork', {
    fork: fields('a fork { branches, compete? }', { branches: ref('taskList'), compete: { type: 'boolean', title: 'true or false' } }, { required: ['branches'] }),
  }),
  listen: task(
    'listen',
    {
      listen: fields(
        'what to listen to',
        {
          to: fields('a strategy { one }', { one: ref('eventFilter') }, { minProperties: 1, notYet: ['all', 'any', 'until'] }),
          read: { enum: ['data', 'envelope'], title: '`data` or `envelope`' },
        },
        { required: ['to'] },
      ),
    },
    { notYet: ['timeout', 'foreach'] },
  ),
  raise: task('raise', {
    raise: fields(
      'what to raise',
      { error: { title: 'an error, or the name of one in `use.errors`', if: { type: 'string' }, then: { minLength: 1, title: 'the name of an error in `use.errors`' }, else: ref('error') } },
      { required: ['error'] },
    ),
  }),
};

const EVENT_ATTRIBUTES: JsonObject = {
  type: 'object',
  propertyNames: { pattern: '^[a-z0-9]{1,64}$', title: 'names of attributes in lower case letters and digits' },
  properties: {
    id: text('text', { minLength: 1 }),
    source: uriOrExpression('an absolute URI, or an expression `${ ... }`'),
    type: text('text', { minLength: 1 }),
    time: text('an RFC 3339 time, or an expression `${ ... }`', { pattern: `^(?:${ONE_LINE_EXPRESSION}|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d))$` }),
    subject: text('text'),
    datacontenttype: text('text'),
    dataschema: uriOrExpression('an absolute URI, or an expression `${ ... }`'),
    data: {},
  },
  additionalProperties: { type: ['string', 'boolean', 'integer'], title: 'text, a boolean or an integer' },
};

const DEFINITIONS: JsonObject = {
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
  ...Object.fromEntries(TASK_KINDS.map((kind) => [`${kind}Task`, TASKS[kind]])),
  flowDirective: text('`continue`, `exit`, `end` or the name of a task of the same list', { minLength: 1 }),
  duration: {
    type: ['string', 'object'],
    title: 'a duration, as ISO 8601 text such as "PT30S" or an object such as { seconds: 30 }',
    minProperties: 1,
    additionalProperties: false,
    properties: Object.fromEntries(['days', 'hours', 'minutes', 'seconds', 'milliseconds'].map((unit) => [unit, { type: 'integer', minimum: 0, title: 'an integer from 0' }])),
  },
  schema: fields(
    'a schema written in place',
    { format: text('`json`', { pattern: '^json(?::.*)?$' }), document: { type: ['object', 'boolean'], title: 'a JSON Schema (draft 2020-12)' } },
    { required: ['document'], notYet: ['resource'] },
  ),
  error: fields(
    'an error',
    {
      type: text('an error type: an absolute URI such as "https://example.com/errors/out-of-stock"', { pattern: `^${SCHEME}\\S+$` }),
      status: { type: 'integer', minimum: 100, maximum: 599, title: 'a status from 100 to 599' },
      title: text('text'),
      detail: text('text'),
      instance: text('text'),
    },
    { required: ['type', 'status'] },
  ),
  catch: fields('a catch', {
    errors: fields('which errors to catch', {
      with: fields(
        'fields that the error must have',
        { type: text('text'), status: { type: 'integer', title: 'a status' }, instance: text('text'), title: text('text'), detail: text('text') },
        { minProperties: 1, notYet: ['details'] },
      ),
    }),
    as: variable,
    when: expression,
    exceptWhen: expression,
    retry: { title: 'a retry policy, or the name of one in `use.retries`', if: { type: 'string' }, then: { minLength: 1, title: 'the name of a retry policy in `use.retries`' }, else: ref('retry') },
    do: ref('taskList'),
  }),
  retry: fields('a retry policy', {
    when: expression,
    exceptWhen: expression,
    delay: ref('duration'),
    backoff: fields(
      'one of `constant`, `linear` and `exponential`',
      Object.fromEntries(['constant', 'linear', 'exponential'].map((kind) => [kind, { type: 'object', maxProperties: 0, title: 'an empty object {}' }])),
      { minProperties: 1, maxProperties: 1 },
    ),
    limit: fields(
      'a limit of retries',
      { attempt: fields('a limit of attempts', { count: { type: 'integer', minimum: 0, maximum: 1_000_000, title: 'an integer from 0 to 1000000' } }, { notYet: ['duration'] }) },
      { notYet: ['duration'] },
    ),
    jitter: fields('a range of jitter', { from: ref('duration'), to: ref('duration') }, { required: ['from', 'to'] }),
  }),
  event: { ...EVENT_ATTRIBUTES, title: 'the attributes of a CloudEvent', required: ['source', 'type'] },
  eventFilter: fields(
    'an event filter { with, correlate? }',
    {
      with: { ...EVENT_ATTRIBUTES, minProperties: 1, title: 'the attributes that an event must have' },
      correlate: {
        type: 'object',
        title: 'correlations by name',
        additionalProperties: fields('a correlation { from, expect? }', { from: expression, expect: text('a text, or an expression `${ ... }`', { minLength: 1 }) }, { required: ['from'] }),
      },
    },
    { required: ['with'] },
  ),
  httpArguments: fields(
    'the arguments of `http`',
    {
      method: text('a method such as get or POST', { pattern: '^(?:get|post|put|patch|delete|head|options|GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)$' }),
      endpoint: {
        title: 'an endpoint',
        if: { type: 'string' },
        then: ref('httpUri'),
        else: fields('an endpoint: a URI, or an object { uri }', { uri: ref('httpUri') }, { required: ['uri'], notYet: ['authentication'] }),
      },
      headers: textsOrExpression('an object of texts, or an expression `${ ... }`'),
      query: textsOrExpression('an object of texts, or an expression `${ ... }`'),
      body: {},
      output: { enum: ['raw', 'content', 'response'], title: '`raw`, `content` or `response`' },
      redirect: { type: 'boolean', title: 'true or false' },
    },
    { required: ['method', 'endpoint'] },
  ),
  httpUri: text('a URI that starts with http:// or https:// and has {name} for its variables, or an expression `${ ... }`', {
    pattern: `^(?:${ONE_LINE_EXPRESSION}|https?://[^\\s{}]*(?:\\{[A-Za-z0-9_]+\\}[^\\s{}]*)*)$`,
  }),
  ...Object.fromEntries(FUNCTION_NAMES.map((name) => [`${name}Arguments`, FUNCTIONS[name].arguments])),
};

/** JSON Schema (draft 2020-12) of the documents that this engine carries out. */
export const WORKFLOW_SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'a workflow document',
  ...fields(
    'a workflow document',
    {
      document: fields(
        'the head of a document',
        {
          dsl: text('a version of the specification from "1.0.0" to "1.0.3"', { pattern: '^1\\.0\\.[0-3]$' }),
          namespace: name,
          name,
          version: text('a semantic version such as "1.0.0"', { pattern: SEMVER, maxLength: 100 }),
          title: text('text'),
          summary: text('text'),
          tags: anyObject('an object'),
          metadata: anyObject('an object'),
        },
        { required: ['dsl', 'namespace', 'name', 'version'] },
      ),
      input: fields('the input of the workflow', { schema: ref('schema'), from: shaping }),
      output: fields('the output of the workflow', { as: shaping }, { notYet: ['schema'] }),
      use: fields(
        'reusable definitions',
        { errors: { type: 'object', title: 'errors by name', additionalProperties: ref('error') }, retries: { type: 'object', title: 'retry policies by name', additionalProperties: ref('retry') } },
        { notYet: ['authentications', 'catalogs', 'extensions', 'functions', 'secrets', 'timeouts'] },
      ),
      do: ref('taskList'),
    },
    { required: ['document', 'do'], notYet: ['timeout', 'schedule', 'evaluate'] },
  ),
  $defs: DEFINITIONS,
};
