// Names that the house style asks for, judged by paths and declarations.
import type { Violation } from './boundaries.js';
import type { SourceFile, SourceTree } from './source-tree.js';

const KEBAB_FILE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.ts$/;
const EMPTY_WORDS = ['manager', 'helper', 'helpers', 'util', 'utils', 'common', 'base', 'impl', 'misc'];
const EMPTY_NAME = /(Manager|Helper|Helpers|Util|Utils|Impl)$|^(Base|Abstract)[A-Z]|^I[A-Z][a-z]/;
const SPEC_SUFFIX = /\.(unit|replay|contract|shell|e2e)\.spec\.ts$/;
// Here every spec is of one kind, which the folder names.
const SPEC_FOLDERS = ['tests/architecture/', 'tests/simulation/'];

/** Files and declarations whose name says nothing, or breaks the pattern. */
export function namingViolations(tree: SourceTree): readonly Violation[] {
  return tree.files.filter(({ path }) => !path.includes('/generated/')).flatMap((file) => faultsOf(file).map((message) => ({ path: file.path, message })));
}

function faultsOf({ path, syntax, package: owner }: SourceFile): readonly string[] {
  const name = path.split('/').at(-1)!;
  const faults: string[] = [];
  if (!KEBAB_FILE.test(name)) faults.push('a file name is kebab-case, `<noun>.<role>.ts`');
  const empty = name.split(/[-.]/).find((word) => EMPTY_WORDS.includes(word));
  if (empty !== undefined) faults.push(`the word \`${empty}\` says nothing about what is in the file`);
  if (name.endsWith('.spec.ts') && !SPEC_SUFFIX.test(name) && !SPEC_FOLDERS.some((folder) => path.startsWith(folder))) faults.push('a spec says its level: .unit, .replay, .contract, .shell or .e2e');
  if (name === 'index.ts' && path !== `${owner.folder}/src/index.ts` && !/^services\/[^/]+\/(core|shell)\/src\/(migrations\/)?index\.ts$/.test(path))
    faults.push('a package has one index.ts, at its root; only migrations have a list of their own');
  for (const declared of syntax.declared) if (EMPTY_NAME.test(declared)) faults.push(`\`${declared}\` is named after a pattern rather than what it is`);
  return faults;
}
