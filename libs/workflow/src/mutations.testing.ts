// Documents that differ from a given one in one place.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';

const REPLACEMENTS: readonly Json[] = [null, '', 'x', '${ .x }', 'https://example.com/x', 'PT5S', 0, -1, 1.5, true, [], ['x'], {}, { x: 1 }, { use: 'x' }];

/** A document with one value replaced, one field left out or one added, and where that was. */
export interface Mutation {
  readonly what: string;
  readonly document: JsonObject;
}

/** Every such document that is not of another kind of thing altogether. */
export function* mutations(document: JsonObject): Generator<Mutation> {
  yield* changed(document, '', (value) => value as JsonObject);
}

function* changed(value: Json, pointer: string, put: (value: Json) => JsonObject): Generator<Mutation> {
  const mutation = (what: string, other: Json): Mutation => ({ what: `${pointer}: ${what}`, document: put(other) });
  if (pointer !== '') for (const other of REPLACEMENTS) yield mutation(`is ${JSON.stringify(other)}`, other);
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    for (const [position, item] of list.entries()) yield* changed(item, `${pointer}/${position}`, (other) => put(list.with(position, other)));
    return;
  }
  if (!isJsonObject(value)) return;
  yield mutation('has `unheardOf`', { ...value, unheardOf: 1 });
  for (const [field, item] of Object.entries(value)) {
    const { [field]: _, ...others } = value;
    yield mutation(`has no \`${field}\``, others);
    yield* changed(item as Json, `${pointer}/${field}`, (other) => put({ ...value, [field]: other }));
  }
}
