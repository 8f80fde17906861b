// JSON on the command line: what it says must be what arrives.
import { isJsonObject, type Json } from '@weft/kernel';
import { InvalidArgumentError } from 'commander';

/** More levels than these cannot be written out again everywhere. */
const DEPTH_MAX = 500;

/** Reads an option that is JSON. @throws InvalidArgumentError also for numbers that would be read as others. */
export function jsonOption(text: string): Json {
  const value = parsed(text);
  if (isDeeper(value, DEPTH_MAX)) throw new InvalidArgumentError(`Expected JSON with at most ${DEPTH_MAX} levels of nesting.`);
  return value;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text, (_key, value: Json, context?: { readonly source?: string }) => {
      if (typeof value === 'number') checkNumber(value, context?.source ?? '');
      return value;
    }) as Json;
  } catch (fault) {
    if (fault instanceof InvalidArgumentError) throw fault;
    // The only other fault is of the depth.
    const why = fault instanceof SyntaxError ? `: ${fault.message}` : ` with at most ${DEPTH_MAX} levels of nesting`;
    throw new InvalidArgumentError(`Expected JSON${why}.`);
  }
}

function checkNumber(value: number, source: string): void {
  if (!Number.isFinite(value)) throw new InvalidArgumentError(`Expected a number that JSON can hold but found ${source}.`);
  if (/^-?\d+$/.test(source) && BigInt(source) !== BigInt(value)) throw new InvalidArgumentError(`Expected a number that keeps its digits but ${source} would lose some: write it as text, in quotes.`);
}

/** Level by level: a deep value is no reason for a deep stack. */
function isDeeper(value: Json, depthMax: number): boolean {
  let level: readonly Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) return true;
    level = level.flatMap((item) => (Array.isArray(item) ? (item as readonly Json[]) : isJsonObject(item) ? Object.values(item) : []));
  }
  return false;
}
