// The codes of rejections and failures that the product's sources can answer with.
import type { Layer, SourceFile, SourceTree } from './source-tree.js';

const PRODUCT: ReadonlySet<Layer> = new Set(['kernel', 'contract', 'pure', 'port', 'core', 'adapter', 'platform', 'shell', 'composition', 'client']);
const CODE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Each code with the files that name it: what is passed for a parameter called `code`, properties called `code`, and what functions called `codeOf...` return. */
export function errorCodes(tree: SourceTree): ReadonlyMap<string, readonly string[]> {
  const files = tree.files.filter(({ layer, isSpec, path }) => PRODUCT.has(layer) && !isSpec && !path.includes('/generated/'));
  const positions = new Map<string, Set<number>>();
  for (const { syntax } of files) for (const { name, position } of syntax.codeTakers) positions.set(name, (positions.get(name) ?? new Set()).add(position));
  const found = new Map<string, string[]>();
  for (const file of files) for (const code of codesOf(file, positions)) found.set(code, [...(found.get(code) ?? []), file.path]);
  return found;
}

function codesOf({ syntax }: SourceFile, positions: ReadonlyMap<string, ReadonlySet<number>>): ReadonlySet<string> {
  const passed = syntax.calls.flatMap(({ callee, argumentTexts }) => [...(positions.get(callee) ?? [])].flatMap((position) => argumentTexts[position] ?? []));
  const named = syntax.properties.filter(({ name }) => name === 'code').flatMap(({ texts }) => texts);
  return new Set([...passed, ...named, ...syntax.codesGiven].filter((text) => CODE.test(text)));
}
