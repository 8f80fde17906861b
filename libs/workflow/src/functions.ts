// The default catalogue: AI work as functions, never as new keywords. `call: infer` and `call: infer:1.0.0@default` are the same.
import type { JsonObject } from '@weft/kernel';

/** A whole-string expression, over lines or not. */
const EXPRESSION = { type: 'string', pattern: '^\\s*\\$\\{[\\s\\S]*\\}\\s*$' };

// Any argument may be a whole-string expression; `if` and `else` keep faults to the branch that was meant.
const orExpression = (schema: JsonObject): JsonObject => ({ if: EXPRESSION, else: schema });
const text = (title: string, more: JsonObject = {}): JsonObject => ({ type: 'string', minLength: 1, title, ...more });
const args = (required: readonly string[], properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', required, additionalProperties: false, properties, ...more });
const assignee = orExpression({ type: 'string', pattern: '^((user|key|role):)?[^\\s:]{1,100}$', title: '`user:NAME`, `key:ID` or `role:NAME`' });
const jsonSchema = orExpression({ type: ['object', 'boolean'], title: 'a JSON Schema (draft 2020-12)' });

const toolNames = orExpression({ type: 'array', items: text('the name of a tool; `*` stands for any text'), title: 'a list of names of tools' });

const toolCall = args(['id', 'name'], { id: text('the id of the call'), name: text('the name of a tool'), arguments: {} });

const message = args(['role'], {
  role: orExpression({ enum: ['system', 'user', 'assistant', 'tool'], title: '`system`, `user`, `assistant` or `tool`' }),
  content: { title: 'what is said: text, or data; of the user also a list of { text } and { image }' },
  toolCalls: orExpression({ type: 'array', items: orExpression(toolCall), title: 'a list of calls { id, name, arguments }' }),
  toolCallId: text('the id of the call that is answered'),
  isError: orExpression({ type: 'boolean', title: 'whether the call failed' }),
});

const stream = orExpression({
  if: { type: ['boolean', 'null'] },
  else: args(
    [],
    { onFailure: orExpression({ enum: ['abort', 'restart-visible', 'continue-from-prefix'], title: '`abort`, `restart-visible` or `continue-from-prefix`' }) },
    { title: 'true, or { onFailure }' },
  ),
});

const duration = orExpression({
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'object', minProperties: 1 },
  ],
  title: 'a duration, as ISO 8601 text such as "PT30S" or an object such as { seconds: 30 }',
});
const tools = orExpression({ type: 'array', maxItems: 100, items: text('the name of a tool, or the beginning of names and `*`', { maxLength: 200 }), title: 'a list of tools' });
/** Names of agents become part of the names of tools that models see. */
const agentName = (): JsonObject => ({ type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_-]{0,39}$', title: 'a name of at most 40 letters, digits, `_` and `-`' });

const limits = args([], {
  turns: orExpression({ type: 'integer', minimum: 1, maximum: 1000, title: 'an integer from 1 to 1000' }),
  calls: orExpression({ type: 'integer', minimum: 0, maximum: 10_000, title: 'an integer from 0 to 10000' }),
  tokens: orExpression({ type: 'integer', minimum: 1, title: 'an integer from 1' }),
  money: orExpression({ type: 'number', minimum: 0, title: 'a number from 0, in the currency of the deployment' }),
  time: duration,
  repeats: orExpression({ type: 'integer', minimum: 2, maximum: 100, title: 'an integer from 2 to 100' }),
});

/** An agent that another one may ask, or hand over to. @param depth how deep agents may be inside it. */
const otherAgent = (depth: number): JsonObject =>
  args(['name', 'description', 'instructions'], {
    name: agentName(),
    description: text('what the agent is for, as text'),
    instructions: text('the instructions of the agent, as text'),
    tools,
    schema: jsonSchema,
    limits: orExpression(limits),
    ...(depth > 0 ? { agents: orExpression({ type: 'array', maxItems: 20, items: otherAgent(depth - 1), title: 'a list of agents' }) } : {}),
  });

/** Who decides a review, and until when. */
const reviewTerms: JsonObject = {
  form: jsonSchema,
  assignees: orExpression({ type: 'array', minItems: 1, maxItems: 50, items: assignee, title: 'a list of 1 to 50 names such as user:eva or role:finance' }),
  approvals: orExpression({ type: 'integer', minimum: 1, maximum: 10, title: 'an integer from 1 to 10' }),
  due: duration,
  remindAfter: duration,
  escalate: orExpression({ type: ['array', 'object'], maxItems: 10, title: '{ after, to } or a list of at most 10 of them' }),
  expires: duration,
};

const person = args(['description'], { description: text('when a person is asked, as text'), title: text('what the review is called'), ...reviewTerms });

/** What the table of functions says of each. */
export interface CatalogueFunction {
  readonly version: '1.0.0';
  /** One line for people. */
  readonly summary: string;
  /** JSON Schema (draft 2020-12) of `with`, before its expressions are evaluated. */
  readonly arguments: JsonObject;
}

/** The functions of the default catalogue by name. */
export const FUNCTIONS = {
  infer: {
    version: '1.0.0',
    summary: 'Asks a model; `schema` makes the answer data of that shape.',
    arguments: args(
      [],
      {
        prompt: { not: { const: null }, title: 'what the model is asked: text, or data' },
        messages: orExpression({ type: 'array', minItems: 1, items: orExpression(message), title: 'a list of messages { role, content }' }),
        instructions: text('the instructions of the model, as text'),
        schema: jsonSchema,
        temperature: orExpression({ type: 'number', minimum: 0, maximum: 2, title: 'a number from 0 to 2' }),
        maxTokens: orExpression({ type: 'integer', minimum: 1, title: 'an integer from 1' }),
        tools: toolNames,
        toolChoice: orExpression({
          if: { type: 'string' },
          then: { enum: ['auto', 'none', 'required'] },
          else: args(['tool'], { tool: text('the name of a tool') }),
          title: '`auto`, `none`, `required` or { tool }',
        }),
        stream,
      },
      { oneOf: [{ required: ['prompt'] }, { required: ['messages'] }], title: 'either `prompt` or `messages`' },
    ),
  },
  embed: {
    version: '1.0.0',
    summary: 'Asks a model for embeddings of a text, or of several.',
    arguments: args(
      [],
      {
        text: text('what is to be embedded, as text'),
        texts: orExpression({ type: 'array', minItems: 1, maxItems: 256, items: text('a text'), title: 'a list of 1 to 256 texts' }),
      },
      { oneOf: [{ required: ['text'] }, { required: ['texts'] }], title: 'either `text` or `texts`' },
    ),
  },
  agent: {
    version: '1.0.0',
    summary: 'Lets a model work in turns with tools, within limits; `schema` makes its answer data of that shape.',
    arguments: args(
      ['instructions'],
      {
        name: agentName(),
        instructions: text('the instructions of the agent, as text'),
        prompt: { not: { const: null }, title: 'what the agent is asked: text, or data' },
        messages: orExpression({ type: 'array', minItems: 1, items: orExpression(message), title: 'a list of messages { role, content }' }),
        tools,
        schema: jsonSchema,
        repairs: orExpression({ type: 'integer', minimum: 0, maximum: 10, title: 'an integer from 0 to 10' }),
        limits: orExpression(limits),
        onLimit: orExpression({ enum: ['fail', 'answer'], title: '`fail` or `answer`' }),
        parallel: orExpression({ type: 'integer', minimum: 1, maximum: 50, title: 'an integer from 1 to 50' }),
        context: orExpression(args([], { tokensMax: orExpression({ type: 'integer', minimum: 100, title: 'an integer from 100' }) })),
        agents: orExpression({ type: 'array', maxItems: 20, items: otherAgent(1), title: 'a list of agents' }),
        handOff: orExpression({
          type: 'array',
          maxItems: 20,
          items: args([], { agent: otherAgent(-1), person }, { oneOf: [{ required: ['agent'] }, { required: ['person'] }], title: 'either `agent` or `person`' }),
          title: 'a list of { agent } or { person }',
        }),
        temperature: orExpression({ type: 'number', minimum: 0, maximum: 2, title: 'a number from 0 to 2' }),
        maxTokens: orExpression({ type: 'integer', minimum: 1, title: 'an integer from 1' }),
        stream,
      },
      { oneOf: [{ required: ['prompt'] }, { required: ['messages'] }], title: 'either `prompt` or `messages`' },
    ),
  },
  map: {
    version: '1.0.0',
    summary: 'Runs a workflow for each item of a list, so many at a time; the output is the list of their outputs.',
    arguments: args(['in', 'workflow'], {
      in: orExpression({ type: ['array', 'null'], title: 'a list' }),
      workflow: orExpression(args(['namespace', 'name'], { namespace: text('a namespace'), name: text('the name of a workflow'), version: text('a version, or `latest`') })),
      concurrency: orExpression({ type: 'integer', minimum: 1, maximum: 1_000, title: 'an integer from 1 to 1000' }),
      onError: orExpression({ enum: ['fail', 'collect'], title: '`fail` or `collect`' }),
    }),
  },
  recall: {
    version: '1.0.0',
    summary: 'Finds memory items of a scope; an empty `query` finds the newest.',
    arguments: args(['scope'], {
      scope: text('a scope: text of 1 to 200 characters', { maxLength: 200 }),
      query: { type: 'string', title: 'what to look for, as text' },
      limit: orExpression({ type: 'integer', minimum: 1, maximum: 50, title: 'an integer from 1 to 50' }),
      trust: orExpression({ enum: ['untrusted', 'derived', 'stated'], title: '`untrusted`, `derived` or `stated`' }),
    }),
  },
  remember: {
    version: '1.0.0',
    summary: 'Keeps a text in a scope, with its provenance.',
    arguments: args(['scope', 'text'], {
      scope: text('a scope: text of 1 to 200 characters', { maxLength: 200 }),
      text: text('what to remember, as text of 1 to 100000 characters', { maxLength: 100_000 }),
      metadata: orExpression({ type: 'object', title: 'an object' }),
    }),
  },
  validate: {
    version: '1.0.0',
    summary: 'Judges a value and answers a verdict with evidence.',
    arguments: args(['value', 'schema'], { value: {}, schema: jsonSchema, policy: text('the name of a policy') }),
  },
  review: {
    version: '1.0.0',
    summary: 'Asks a person to decide about the subject and waits for the decision.',
    arguments: args(['title', 'subject'], { title: text('what is to be decided, as text'), subject: {}, ...reviewTerms }),
  },
  tool: {
    version: '1.0.0',
    summary: 'Calls a registered tool under its grant.',
    arguments: args(['name'], { name: text('the name of a tool'), arguments: orExpression({ type: 'object', title: 'an object' }) }),
  },
} as const satisfies Readonly<Record<string, CatalogueFunction>>;

export type FunctionName = keyof typeof FUNCTIONS;

export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as readonly FunctionName[];

export const isFunctionName = (name: string): name is FunctionName => Object.hasOwn(FUNCTIONS, name);

const CATALOGUED = /^([a-z]+):1\.0\.0@default$/;

/** What a checked `call` names: `http` or a function, without the default catalogue's version and name. Other texts stay as they are. */
export function functionNameOf(call: string): string {
  const name = CATALOGUED.exec(call)?.[1];
  return name !== undefined && isFunctionName(name) ? name : call;
}
