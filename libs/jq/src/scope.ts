/** What names mean while a program is compiled. */
import type { Definition } from './ast.js';
import type { Code } from './code.js';

/** A function of the program. `body` is set once it is compiled; a recursive call reads it when it runs. */
export interface FunctionEntry {
  readonly kind: 'function';
  readonly definition: Definition;
  readonly level: number;
  /** Levels of the body: what one running call adds to the depth. */
  readonly height: number;
  /** Whether calls have at most one output for each choice of value arguments. An assumption until the body is compiled. */
  isSingle: boolean;
  isRecursive: boolean;
  body: Code | undefined;
}

type Entry = { readonly kind: 'variable' | 'filter' | 'label'; readonly name: string; /** Index of its cell, counted from the outermost. */ readonly level: number } | FunctionEntry;

/** What the whole program shares. */
export interface Program {
  /** Names (without `$`) that the caller gives values for. */
  readonly variables: ReadonlySet<string>;
  /** Definitions that come with the language, compiled for this program on first use. By name/arity. */
  readonly supplied: Map<string, FunctionEntry>;
  /** Definitions being compiled on the assumption that they are single: bounds how often bodies are compiled again. */
  assumptions: number;
}

/** A list of names, innermost first. `level` is the number of cells in the surroundings at run time. */
export interface Scope {
  readonly program: Program;
  readonly level: number;
  readonly entry: Entry | undefined;
  readonly parent: Scope | undefined;
}

export function rootScope(program: Program): Scope {
  return { program, level: 0, entry: undefined, parent: undefined };
}

/** The scope with one more cell. */
export function withCell(scope: Scope, kind: 'variable' | 'filter' | 'label', name: string): Scope {
  return { program: scope.program, level: scope.level + 1, entry: { kind, name, level: scope.level + 1 }, parent: scope };
}

/** The scope with one more function, which takes no cell: calls find its surroundings by level. */
export function withFunction(scope: Scope, entry: FunctionEntry): Scope {
  return { program: scope.program, level: scope.level, entry, parent: scope };
}

/** Steps from the innermost cell out to the cell of a variable or label, or undefined when the name is unknown. */
export function hopsTo(scope: Scope, kind: 'variable' | 'label', name: string): number | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    if (at.entry?.kind === kind && at.entry.name === name) return scope.level - at.entry.level;
  }
  return undefined;
}

/** The innermost function or filter parameter of that name and number of parameters. */
export function findCallable(scope: Scope, name: string, arity: number): FunctionEntry | { readonly kind: 'filter'; readonly level: number } | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const { entry } = at;
    if (entry?.kind === 'function') {
      if (entry.definition.name === name && entry.definition.parameters.length === arity) return entry;
    } else if (entry?.kind === 'filter' && entry.name === name && arity === 0) return { kind: 'filter', level: entry.level };
  }
  return undefined;
}
