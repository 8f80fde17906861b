// JSON with `${ jq }` texts, compiled once.
import { isJsonObject, type Failure, type Json } from '@weft/kernel';
import { compile, embeddedExpression } from '@weft/jq';

export type Evaluation = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly failure: Failure };
export type Template = (input: Json, variables?: { readonly [name: string]: Json }) => Evaluation;
export type Compilation = { readonly ok: true; readonly template: Template } | { readonly ok: false; readonly problem: string };

/** Compiles bare jq, or jq in `${ }`. `variables` are the names it may use. */
export function compileExpression(text: string, variables: readonly string[] = []): Compilation {
  const compiled = compile(embeddedExpression(text) ?? text, { variables });
  if (!compiled.ok) return { ok: false, problem: compiled.failure.message };
  const { expression } = compiled;
  return { ok: true, template: (input, values = {}) => expression.first(input, values) };
}

/** Compiles any JSON value: texts that are `${ jq }` as a whole are evaluated, the rest stands as it is. */
export function compileTemplate(value: Json): Compilation {
  if (typeof value === 'string' && embeddedExpression(value) !== undefined) return compileExpression(value);
  if (typeof value !== 'object' || value === null) return { ok: true, template: () => ({ ok: true, value }) };
  const parts: [string, Template][] = [];
  for (const [name, part] of Object.entries(value)) {
    const compiled = compileTemplate(part as Json);
    if (!compiled.ok) return compiled;
    parts.push([name, compiled.template]);
  }
  const isList = !isJsonObject(value);
  return {
    ok: true,
    template: (input) => {
      const filled: [string, Json][] = [];
      for (const [name, template] of parts) {
        const part = template(input);
        if (!part.ok) return part;
        filled.push([name, part.value]);
      }
      return { ok: true, value: isList ? filled.map(([, part]) => part) : Object.fromEntries(filled) };
    },
  };
}
