// A call's arguments as Cedar can compare them: each value by its JSON Pointer, apart by type.
import { isJsonObject, type Json } from '@weft/kernel';

/** The types by which policies read arguments. */
export const ARGUMENT_TYPES = ['text', 'number', 'flag', 'list'] as const;
export type ArgumentType = (typeof ARGUMENT_TYPES)[number];

/** Values by JSON Pointer (`/to`, `/address/city`). */
export interface ArgumentFacts {
  readonly text: ReadonlyMap<string, string>;
  /** Whole numbers that are exact; any other number is of no type and read by no policy. */
  readonly number: ReadonlyMap<string, number>;
  readonly flag: ReadonlyMap<string, boolean>;
  /** Lists of texts alone. */
  readonly list: ReadonlyMap<string, readonly string[]>;
  /** Every pointer that leads to something, whatever its type. */
  readonly names: ReadonlySet<string>;
}

/** Beyond these, arguments have no facts and what reads them does not permit. */
const NAMES_MAX = 2_000;
const DEPTH_MAX = 16;

/** The facts of arguments. Undefined: they are larger than what policies may judge. */
export function argumentFacts(args: Json): ArgumentFacts | undefined {
  const facts = { text: new Map<string, string>(), number: new Map<string, number>(), flag: new Map<string, boolean>(), list: new Map<string, readonly string[]>(), names: new Set<string>() };
  return visit(args, '', 0, facts) ? facts : undefined;
}

type Growing = { readonly [K in keyof ArgumentFacts]: K extends 'names' ? Set<string> : Map<string, never> };

function visit(value: Json, pointer: string, depth: number, facts: ArgumentFacts): boolean {
  if (depth > DEPTH_MAX || facts.names.size >= NAMES_MAX) return false;
  const into = facts as Growing;
  if (pointer !== '') into.names.add(pointer);
  if (typeof value === 'string') into.text.set(pointer, value as never);
  else if (typeof value === 'boolean') into.flag.set(pointer, value as never);
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) into.number.set(pointer, value as never);
  } else if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'string')) into.list.set(pointer, value as never);
    return value.every((item: Json, index) => visit(item, `${pointer}/${index}`, depth + 1, facts));
  } else if (isJsonObject(value)) return Object.entries(value).every(([name, item]) => visit(item, `${pointer}/${escaped(name)}`, depth + 1, facts));
  return true;
}

/** Source: RFC 6901. */
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
