// What each kind of task may say: one schema a kind, so that a message is about the kind the author meant.
const text = { type: 'string', minLength: 1 };
const texts = { type: 'string' };
const object = { type: 'object' };
const expressionOrObject = { anyOf: [text, object] };
const name = { type: 'string', pattern: '^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$', maxLength: 63 };
const duration = { anyOf: [text, { type: 'object', minProperties: 1, additionalProperties: false, properties: { days: { type: 'number', minimum: 0 }, hours: { type: 'number', minimum: 0 }, minutes: { type: 'number', minimum: 0 }, seconds: { type: 'number', minimum: 0 }, milliseconds: { type: 'number', minimum: 0 } } }] };

const common = {
  if: text,
  input: { type: 'object', additionalProperties: false, properties: { from: expressionOrObject } },
  output: { type: 'object', additionalProperties: false, properties: { as: expressionOrObject } },
  export: { type: 'object', additionalProperties: false, properties: { as: expressionOrObject } },
  then: text,
  metadata: object,
};

const task = (required: readonly string[], properties: object): object => ({ type: 'object', required, additionalProperties: false, properties: { ...common, ...properties } });

const error = { type: 'object', required: ['type', 'status'], additionalProperties: false, properties: { type: text, status: { type: 'integer', minimum: 100, maximum: 599 }, title: texts, detail: texts, instance: text } };

const retry = {
  type: 'object',
  additionalProperties: false,
  properties: {
    when: text,
    exceptWhen: text,
    delay: duration,
    backoff: { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: false, properties: { constant: object, linear: object, exponential: object } },
    limit: { type: 'object', additionalProperties: false, properties: { attempt: { type: 'object', additionalProperties: false, properties: { count: { type: 'integer', minimum: 0 } } } } },
    jitter: { type: 'object', required: ['from', 'to'], additionalProperties: false, properties: { from: duration, to: duration } },
  },
};

/** By the key that tells the kind. Order matters where a task could have two of them. */
export const TASK_SCHEMAS = {
  try: task(['try', 'catch'], {
    try: { type: 'array', minItems: 1 },
    catch: {
      type: 'object',
      additionalProperties: false,
      properties: { errors: { type: 'object', additionalProperties: false, properties: { with: { type: 'object', additionalProperties: false, properties: { type: text, status: { type: 'integer' }, instance: text, title: text, detail: text } } } }, as: text, when: text, exceptWhen: text, retry: { anyOf: [text, retry] }, do: { type: 'array', minItems: 1 } },
    },
  }),
  call: task(['call'], { call: text, with: object }),
  set: task(['set'], { set: { anyOf: [text, { type: 'object', minProperties: 1 }] } }),
  switch: task(['switch'], {
    switch: { type: 'array', minItems: 1, items: { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: { type: 'object', required: ['then'], additionalProperties: false, properties: { when: text, then: text } } } },
  }),
  raise: task(['raise'], { raise: { type: 'object', required: ['error'], additionalProperties: false, properties: { error: { anyOf: [text, error] } } } }),
  emit: task(['emit'], { emit: { type: 'object', required: ['event'], additionalProperties: false, properties: { event: { type: 'object', required: ['with'], additionalProperties: false, properties: { with: { type: 'object', required: ['source', 'type'] } } } } } }),
  wait: task(['wait'], { wait: duration }),
  do: task(['do'], { do: { type: 'array', minItems: 1 } }),
} as const;

export type TaskKind = keyof typeof TASK_SCHEMAS;

/** Kinds of the standard that this engine does not carry out yet. */
export const OTHER_KINDS = ['for', 'fork', 'listen', 'run'] as const;

/** Everything of a document but its tasks. */
export const DOCUMENT_SCHEMA = {
  type: 'object',
  required: ['document', 'do'],
  additionalProperties: false,
  properties: {
    document: {
      type: 'object',
      required: ['dsl', 'namespace', 'name', 'version'],
      additionalProperties: false,
      properties: { dsl: { type: 'string', pattern: '^1\\.0\\.[0-3]$' }, namespace: name, name, version: { type: 'string', pattern: '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:-[0-9A-Za-z.-]+)?(?:\\+[0-9A-Za-z.-]+)?$' }, title: texts, summary: texts, tags: object, metadata: object },
    },
    input: { type: 'object', additionalProperties: false, properties: { schema: { type: 'object', required: ['document'], additionalProperties: false, properties: { format: { const: 'json' }, document: {} } }, from: expressionOrObject } },
    output: { type: 'object', additionalProperties: false, properties: { as: expressionOrObject } },
    use: { type: 'object', additionalProperties: false, properties: { errors: { type: 'object', additionalProperties: error }, retries: { type: 'object', additionalProperties: retry } } },
    do: { type: 'array', minItems: 1 },
  },
};
