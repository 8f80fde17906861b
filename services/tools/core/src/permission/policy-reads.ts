// What a policy reads, found out once: decisions are kept by exactly these values.
import { isJsonObject, type Json } from '@weft/kernel';
import { ARGUMENT_TYPES, type ArgumentType } from './argument-facts.js';

/** What one policy, or several together, read of a request besides who asks for what. */
export interface Reads {
  /** Attributes of the context, without `arguments`. */
  readonly attributes: ReadonlySet<string>;
  /** Arguments by JSON Pointer, with the types by which they are read; `all`: any of them may be read. */
  readonly arguments: ReadonlyMap<string, ReadonlySet<ArgumentType>> | 'all';
  /** Whether the names of arguments are read. */
  readonly names: boolean;
}

/** Every attribute of the context that a policy may read. */
export const CONTEXT_ATTRIBUTES = ['actor', 'purpose', 'taint', 'untrusted', 'private', 'time', 'moneyLeft', 'tokensLeft', 'callsLeft'] as const;

const ALL: Reads = { attributes: new Set(CONTEXT_ATTRIBUTES), arguments: 'all', names: true };
export const READS_NOTHING: Reads = { attributes: new Set(), arguments: new Map(), names: false };

/** What the conditions of a policy read. @param conditions of its JSON form. What is not understood counts as reading everything. */
export function readsOf(conditions: Json): Reads {
  const found = { attributes: new Set<string>(), arguments: new Map<string, Set<ArgumentType>>(), names: false, everything: false, allArguments: false };
  walk(conditions, found);
  if (found.everything) return ALL;
  return { attributes: found.attributes, arguments: found.allArguments ? 'all' : found.arguments, names: found.names };
}

/** What several policies read together. */
export function joinReads(several: readonly Reads[]): Reads {
  const args = new Map<string, Set<ArgumentType>>();
  for (const { arguments: read } of several) if (read !== 'all') for (const [pointer, types] of read) args.set(pointer, new Set([...(args.get(pointer) ?? []), ...types]));
  return {
    attributes: new Set(several.flatMap(({ attributes }) => [...attributes])),
    arguments: several.some((reads) => reads.arguments === 'all') ? 'all' : args,
    names: several.some(({ names }) => names),
  };
}

interface Found {
  readonly attributes: Set<string>;
  readonly arguments: Map<string, Set<ArgumentType>>;
  names: boolean;
  everything: boolean;
  allArguments: boolean;
}

function walk(node: Json | undefined, found: Found): void {
  if (Array.isArray(node)) {
    for (const item of node as readonly Json[]) walk(item, found);
    return;
  }
  if (!isJsonObject(node)) return;
  if ('Value' in node) return;
  if (node['Var'] === 'context') {
    // The context as a whole, in a place where no attribute of it is named.
    found.everything = true;
    return;
  }
  for (const [operator, operands] of Object.entries(node)) {
    if ((operator === '.' || operator === 'has') && isJsonObject(operands) && isContext(operands['left'])) readAttribute(operands['attr'], found);
    else if ((operator === '.' || operator === 'has') && isJsonObject(operands) && isArguments(operands['left'])) readWhole(operands['attr'], found);
    else if ((operator === 'getTag' || operator === 'hasTag') && isJsonObject(operands) && typeOf(operands['left']) !== undefined) readArgument(typeOf(operands['left'])!, operands['right'], found);
    else if (operator === 'Record' && isJsonObject(operands)) walk(Object.values(operands), found);
    else walk(operands, found);
  }
}

function readAttribute(attribute: Json | undefined, found: Found): void {
  // `has a.b` names a path.
  const first = Array.isArray(attribute) ? (attribute as readonly Json[])[0] : attribute;
  if (first === 'arguments') found.allArguments = found.names = true;
  else if (typeof first === 'string') found.attributes.add(first);
  else found.everything = true;
}

function readWhole(attribute: Json | undefined, found: Found): void {
  if (attribute === 'names') found.names = true;
  else found.allArguments = true;
}

function readArgument(type: ArgumentType, key: Json | undefined, found: Found): void {
  const pointer = isJsonObject(key) ? key['Value'] : undefined;
  if (typeof pointer !== 'string') {
    // A key that is worked out may be any. What it is worked out from is read too.
    found.allArguments = true;
    walk(key, found);
    return;
  }
  found.arguments.set(pointer, new Set([...(found.arguments.get(pointer) ?? []), type]));
}

const isContext = (node: Json | undefined): boolean => isJsonObject(node) && node['Var'] === 'context';

function isArguments(node: Json | undefined): boolean {
  const access = isJsonObject(node) ? node['.'] : undefined;
  return isJsonObject(access) && isContext(access['left']) && access['attr'] === 'arguments';
}

/** The type in `context.arguments.TYPE`; undefined for any other expression. */
function typeOf(node: Json | undefined): ArgumentType | undefined {
  const access = isJsonObject(node) ? node['.'] : undefined;
  return isJsonObject(access) && isArguments(access['left']) ? ARGUMENT_TYPES.find((type) => type === access['attr']) : undefined;
}
