// The default catalogue: AI work as functions, never as new keywords. `call: infer` and `call: infer:1.0.0@default` are the same.
import type { Json } from '@weft/kernel';

const text = { type: 'string', minLength: 1 } as const;
const anything = {} as const;
// Any argument may be a whole-string expression instead of a value.
const expression = { type: 'string', pattern: '^\\s*\\$\\{[\\s\\S]*\\}\\s*$' } as const;
const or = (schema: object): object => ({ anyOf: [expression, schema] });
const object = (required: readonly string[], properties: Readonly<Record<string, object>>): object => ({ type: 'object', additionalProperties: false, required, properties });

/** Arguments of each function, as JSON Schema of its `with`. */
export const FUNCTIONS = {
  infer: {
    anyOf: [{ required: ['prompt'] }, { required: ['messages'] }],
    ...object([], {
      prompt: anything,
      messages: or({ type: 'array', minItems: 1, items: or(object(['role', 'content'], { role: or({ enum: ['system', 'user', 'assistant'] }), content: anything })) }),
      instructions: text,
      schema: or({ type: ['object', 'boolean'] }),
      temperature: or({ type: 'number', minimum: 0, maximum: 2 }),
      maxTokens: or({ type: 'integer', minimum: 1 }),
    }),
  },
  recall: object(['scope'], { scope: text, query: { type: 'string' }, limit: or({ type: 'integer', minimum: 1, maximum: 50 }), trust: or({ enum: ['untrusted', 'derived', 'stated'] }) }),
  remember: object(['scope', 'text'], { scope: text, text, metadata: or({ type: 'object' }) }),
  validate: object(['value', 'schema'], { value: anything, schema: or({ type: ['object', 'boolean'] }), policy: text }),
  review: object(['title'], { title: text, subject: anything, form: or({ type: 'object' }), assignees: or({ type: 'array', items: text }) }),
  tool: object(['name'], { name: text, arguments: or({ type: 'object' }) }),
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

/** Arguments of `call: http`. */
export const HTTP_CALL = object(['method', 'endpoint'], {
  method: { type: 'string', pattern: '^[A-Za-z]+$' },
  endpoint: { anyOf: [text, object(['uri'], { uri: text })] },
  headers: or({ type: 'object' }),
  query: or({ type: 'object' }),
  body: anything,
  output: { enum: ['raw', 'content', 'response'] },
  redirect: { type: 'boolean' },
});

/** The function that a `call` names, without the default catalogue's version and name. */
export function functionNameOf(call: string): string {
  return /^([a-z]+):1\.0\.0@default$/.exec(call)?.[1] ?? call;
}

export const isFunctionName = (name: string): name is FunctionName => Object.hasOwn(FUNCTIONS, name);

export type CallArguments = { readonly [name: string]: Json };
