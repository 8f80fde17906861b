// URI templates of level 1: `{name}`. Source: RFC 6570, sections 1.2 and 3.2.2.
import { isJsonObject, rejection, type Failure, type Json } from '@weft/kernel';
import { encodeUnreserved } from '@weft/workflow';

export type Expansion = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly failure: Failure };

const VARIABLE = /\{([^{}]*)\}/g;
const NAME = /^[A-Za-z0-9_]+$/;

/** What is wrong with a template, or undefined. */
export function uriTemplateProblem(template: string): string | undefined {
  for (const [whole, name] of template.matchAll(VARIABLE)) {
    if (!NAME.test(name ?? '')) return `${whole} is no variable of a level-1 URI template: expected {name}`;
  }
  return /[{}]/.test(template.replace(VARIABLE, '')) ? 'a brace of its URI template has no partner' : undefined;
}

/**
 * Fills a template with top-level texts, numbers and booleans, percent-encoded.
 * A missing value is refused, and so are `.` and `..`: an effect must not slide to another resource.
 */
export function expandUri(template: string, values: Json): Expansion {
  let failure: Failure | undefined;
  const text = template.replace(VARIABLE, (_whole, name: string) => {
    const value = isJsonObject(values) && Object.hasOwn(values, name) ? values[name] : undefined;
    const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    const part = isScalar ? String(value) : '';
    if (part === '' || part === '.' || part === '..') {
      failure ??= rejection(
        'input-invalid',
        `Expected a text, number or boolean in argument ${JSON.stringify(name)}, which is part of the URL, but got ${value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80)}.`,
      );
      return '';
    }
    return encodeUnreserved(part);
  });
  return failure ? { ok: false, failure } : { ok: true, text };
}
