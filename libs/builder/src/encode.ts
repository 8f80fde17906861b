// Written values to the JSON of a document: expressions become the text that their place wants.
import type { Json, JsonObject } from '@weft/kernel';
import { BuilderError, isExpression, rendered, type Expression } from './expression.js';
import type { Path, Spot } from './places.js';

/** JSON that is finished already, such as a list of tasks. */
export class Finished {
  constructor(readonly json: Json) {}
}

/** @param spot tells of a path where it stands; fields that are undefined are left out. */
export function encode(value: unknown, path: Path, spot: (path: Path) => Spot): Json {
  if (value instanceof Finished) return value.json;
  if (isExpression(value)) return expressionText(value, spot(path));
  if (Array.isArray(value)) return value.map((item, i) => encode(item, [...path, i], spot));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).flatMap(([key, item]): [string, Json][] => (item === undefined ? [] : [[key, encode(item, [...path, key], spot)]])));
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new BuilderError(`Expected JSON or an expression at ${path.join('.') || 'the value'} but found ${typeof value === 'number' ? String(value) : `a ${typeof value}`}.`);
}

export const encodeObject = (value: object, spot: (path: Path) => Spot): JsonObject => encode(value, [], spot) as JsonObject;

/** An expression as the text of a document. */
export function expressionText(value: Expression, { place, bare }: Spot): string {
  const text = rendered(value, place);
  return bare ? text : `\${ ${text} }`;
}
