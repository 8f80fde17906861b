// What cores and pure packages never touch: clocks, randomness, the process and the network are handed in as data.
import type { Layer, SourceFile, SourceTree } from './source-tree.js';
import type { Violation } from './boundaries.js';

const PURE_LAYERS: ReadonlySet<Layer> = new Set(['kernel', 'pure', 'core']);
const BANNED = ['process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'crypto', 'console', 'globalThis', 'Date.now', 'Math.random'] as const;

/** Uses of ambient state in kernel, pure packages and cores; specs are free. */
export function purityViolations(tree: SourceTree): readonly Violation[] {
  return tree.files
    .filter(({ layer, isSpec }) => PURE_LAYERS.has(layer) && !isSpec)
    .flatMap((file) => usesOf(file).map((use) => ({ path: file.path, message: `uses ${use}: ${file.layer} code takes time, ids and randomness as data` })));
}

function usesOf({ syntax }: SourceFile): readonly string[] {
  const ambient = BANNED.filter((name) => [...syntax.globals].some((used) => used === name || used.startsWith(`${name}.`)));
  // `new Date(instant)` computes; without an argument it reads the clock, and so does `Date()`.
  const clock = syntax.calls.some(({ callee, isConstruction, argumentTexts }) => callee === 'Date' && (!isConstruction || argumentTexts.length === 0)) ? ['new Date() without an instant'] : [];
  return [...ambient, ...clock];
}
