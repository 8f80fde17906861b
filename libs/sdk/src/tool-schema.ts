// Schemas of tools: zod, or JSON Schema as it stands.
import type { Json, JsonObject } from '@weft/kernel';
import { z } from 'zod';

/** A zod schema, or a JSON Schema (2020-12) as an object. */
export type ToolSchema = z.ZodType | JsonSchema;

/** A JSON Schema written out. Types are inferred from `type`, `properties`, `required`, `items`, `enum` and `const`. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

type TypeOfName<S, N> = N extends 'string'
  ? string
  : N extends 'number' | 'integer'
    ? number
    : N extends 'boolean'
      ? boolean
      : N extends 'null'
        ? null
        : N extends 'array'
          ? S extends { readonly items: infer I }
            ? FromJsonSchema<I>[]
            : Json[]
          : N extends 'object'
            ? FromProperties<S>
            : Json;

type FromProperties<S> = S extends { readonly properties: infer P }
  ? {
      readonly [K in keyof P as K extends (S extends { readonly required: readonly (infer R)[] } ? R : never) ? K : never]: FromJsonSchema<P[K]>;
    } & {
      readonly [K in keyof P as K extends (S extends { readonly required: readonly (infer R)[] } ? R : never) ? never : K]?: FromJsonSchema<P[K]>;
    }
  : JsonObject;

/** The type that a JSON Schema describes, as far as it can be told. */
export type FromJsonSchema<S> = S extends { readonly const: infer C } ? C : S extends { readonly enum: readonly (infer E)[] } ? E : S extends { readonly type: infer N } ? TypeOfName<S, N> : Json;

/** What a tool's function gets for this input schema. */
export type InputOf<S> = S extends z.ZodType ? z.output<S> : FromJsonSchema<S>;
/** What a tool's function gives for this output schema; without one, any JSON value or nothing. */
export type OutputOf<S> = S extends z.ZodType ? z.input<S> : [S] extends [undefined] ? Json | void : FromJsonSchema<S>;

const isZod = (schema: ToolSchema): schema is z.ZodType => schema instanceof z.ZodType;

/** The schema as JSON Schema text: what callers write for an input, what they read of an output. */
export function schemaText(schema: ToolSchema, io: 'input' | 'output'): string {
  return JSON.stringify(isZod(schema) ? z.toJSONSchema(schema, { io }) : schema);
}

/** A value brought into the form of the schema, or what is wrong with it. A JSON Schema is checked by Weft: here the value stands as it is. */
export function conform(schema: ToolSchema, value: unknown): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string } {
  if (!isZod(schema)) return { ok: true, value };
  let parsed: ReturnType<typeof schema.safeParse>;
  try {
    parsed = schema.safeParse(value);
  } catch (error) {
    // A refinement of its author's threw, or answers only later.
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, problem: parsed.error.issues.map((issue) => `/${issue.path.map(String).join('/')}: ${issue.message}`).join('; ') };
}
