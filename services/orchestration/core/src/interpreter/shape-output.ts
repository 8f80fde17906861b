import type { Json } from '@weft/kernel';
import type { ItemIterator } from '../program/item-iterator.js';
import type { Advance } from './advance.js';

/** What shapes what something has come to: `as` and `schema` of `output` and `export`. */
export type OutputShape = Pick<ItemIterator, 'outputAs' | 'outputCheck' | 'exportAs' | 'exportCheck'>;

/** The data flow at an end: `output.as` and `output.schema`, then `export.as` on the transformed output and `export.schema`. @throws EvaluationFailed */
export function shapeOutput(
  advance: Advance,
  { outputAs, outputCheck, exportAs, exportCheck }: OutputShape,
  raw: Json,
  at: Parameters<Advance['evaluate']>[2],
): { readonly output: Json; readonly exported: Json | undefined } {
  const output = outputAs ? advance.evaluate(outputAs, raw, { ...at, output: raw }) : raw;
  outputCheck?.(output);
  const exported = exportAs ? advance.evaluate(exportAs, output, { ...at, output }) : undefined;
  if (exported !== undefined) exportCheck?.(exported);
  return { output, exported };
}
