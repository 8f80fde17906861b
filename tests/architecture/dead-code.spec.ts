import { describe, expect, it } from 'vitest';
import { sourceTree, targetOf, withPlanted, type SourceTree } from './source-tree.js';

// Where a program, a package or a suite begins.
const ENTRIES = [/\/src\/index\.ts$/, /main\.ts$/, /\.spec\.ts$/, /\.config\.ts$/, /^tests\/simulation\//];

/** Sources that no entry leads to. */
function unreachable(tree: SourceTree): readonly string[] {
  const files = new Map(tree.files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const waiting = tree.files.filter(({ path }) => ENTRIES.some((entry) => entry.test(path)));
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (reached.has(file.path)) continue;
    reached.add(file.path);
    // A program that is started by its address, `new URL('./x.js', import.meta.url)`, is reached too.
    const started = [...file.syntax.texts].filter((text) => /^\.\.?\/.*\.js$/.test(text));
    for (const specifier of [...file.syntax.imports.map((each) => each.specifier), ...started]) {
      const target = targetOf(tree, file, specifier);
      const next = target.kind === 'file' ? files.get(target.path) : undefined;
      if (next) waiting.push(next);
    }
  }
  return tree.files.map(({ path }) => path).filter((path) => !reached.has(path));
}

describe('sources', () => {
  const tree = sourceTree();

  it('are all reached from an index, a main file or a spec', () => {
    expect(unreachable(tree)).toEqual([]);
  });

  it('that nothing imports are found', () => {
    expect(unreachable(withPlanted(tree, { 'libs/kernel/src/planted.ts': 'export const planted = 1;' }))).toContain('libs/kernel/src/planted.ts');
  });
});
