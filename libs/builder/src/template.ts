// Templates: texts with expressions in them, and jq as its author writes it.
import { Binding, BuilderError, expression, isExpression, rendered, type Expression } from './expression.js';
import { operand } from './operators.js';

/** A text with expressions in it: `` text`Hello ${input.name}` `` is `"Hello \(.name)"`. */
export function text(parts: TemplateStringsArray, ...values: readonly unknown[]): Expression<string> {
  return expression((place) => {
    const pieces = parts.map((part, i) => {
      const literal = JSON.stringify(part).slice(1, -1);
      if (i >= values.length) return literal;
      return `${literal}\\(${operand(values[i], place, Binding.pipe)})`;
    });
    return { text: `"${pieces.join('')}"`, binding: Binding.term };
  });
}

// What can stand anywhere without parentheses: a path of fields and indexes.
const PATH = /^(?:\.|\$[A-Za-z_][A-Za-z0-9_]*)(?:\.?[A-Za-z_][A-Za-z0-9_]*|\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\])*$/;

/** jq as it stands, with expressions put in as they are: `` jq<number>`[${input.items}[].price] | add` ``. Its backslashes are jq's own. */
export function jq<T = unknown>(parts: TemplateStringsArray, ...values: readonly unknown[]): Expression<T> {
  return expression((place) => {
    const text = parts.raw
      .map((part, i) => {
        // A backquote and `${` can only be written escaped in a template; jq knows neither escape.
        const raw = part.replaceAll(/\\(`|\$\{)/g, '$1');
        return i < values.length ? raw + (isExpression(values[i]) ? rendered(values[i] as Expression, place, Binding.term) : operand(values[i], place, Binding.term)) : raw;
      })
      .join('');
    return { text, binding: PATH.test(text) ? Binding.term : Binding.pipe };
  });
}

/** jq that is a text already. @throws BuilderError when it is empty. */
export function jqText<T = unknown>(source: string): Expression<T> {
  if (source.trim() === '') throw new BuilderError('Expected jq but found an empty text.');
  return expression(() => ({ text: source, binding: PATH.test(source) ? Binding.term : Binding.pipe }));
}
