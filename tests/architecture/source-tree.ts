// The workspace as data: packages by their tags, source files by package and layer. Planted files join it in memory.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseModule, type ModuleSyntax } from './module-syntax.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a file may import follows from its layer. `faults` is what tests/faults/src holds: programs that share nothing with the product. */
export const LAYERS = ['kernel', 'contract', 'pure', 'port', 'core', 'adapter', 'platform', 'shell', 'testkit', 'composition', 'client', 'suite', 'bench', 'faults'] as const;
export type Layer = (typeof LAYERS)[number];

export interface Package {
  readonly name: string;
  /** Path from the root, such as `libs/kernel`. */
  readonly folder: string;
  /** The `type:*` tag. A `service` is split into core and shell by folder. */
  readonly type: string;
  /** The `scope:*` tag. */
  readonly scope: string;
}

export interface SourceFile {
  /** Path from the root, with `/`. */
  readonly path: string;
  readonly package: Package;
  readonly layer: Layer;
  /** Specs and what only specs use (`*.testing.ts`). */
  readonly isSpec: boolean;
  readonly syntax: ModuleSyntax;
}

export interface SourceTree {
  readonly packages: readonly Package[];
  readonly files: readonly SourceFile[];
}

/** Everything under version control or about to be. */
export function listFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return listed.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The packages and TypeScript sources of the checkout. Reads each file once per run. */
export function sourceTree(): SourceTree {
  cached ??= readTree();
  return cached;
}
let cached: SourceTree | undefined;

function readTree(): SourceTree {
  const listed = listFiles();
  const packages = listed.filter((path) => path.endsWith('/package.json') && !path.includes('node_modules')).map(readPackage);
  const sources = listed.filter((path) => path.endsWith('.ts') && !path.includes('/dist/'));
  return { packages, files: sources.flatMap((path) => fileOf(packages, path, readText(path)) ?? []) };
}

function readPackage(path: string): Package {
  const { name, nx } = JSON.parse(readText(path)) as { readonly name: string; readonly nx?: { readonly tags?: readonly string[] } };
  const tag = (prefix: string): string => nx?.tags?.find((each) => each.startsWith(prefix))?.slice(prefix.length) ?? '';
  return { name, folder: dirname(path), type: tag('type:'), scope: tag('scope:') };
}

/** The tree with files that do not exist, in place of a copy of the checkout. */
export function withPlanted(tree: SourceTree, planted: Readonly<Record<string, string>>): SourceTree {
  const files = Object.entries(planted).map(([path, text]) => {
    const file = fileOf(tree.packages, path, text);
    if (!file) throw new Error(`${path} lies in no package`);
    return file;
  });
  return { ...tree, files: [...tree.files.filter(({ path }) => !(path in planted)), ...files] };
}

function fileOf(packages: readonly Package[], path: string, text: string): SourceFile | undefined {
  const owner = packages.find(({ folder }) => path.startsWith(`${folder}/`));
  if (!owner) return undefined;
  return { path, package: owner, layer: layerOf(owner, path), isSpec: /\.(spec|testing)\.ts$/.test(path), syntax: parseModule(text) };
}

function layerOf(owner: Package, path: string): Layer {
  if (owner.type === 'service') return path.startsWith(`${owner.folder}/core/`) ? 'core' : 'shell';
  if (path.startsWith('tests/faults/src/')) return 'faults';
  const layer = LAYERS.find((each) => each === owner.type);
  if (!layer) throw new Error(`${owner.folder}/package.json: expected a tag type:* out of ${LAYERS.join(', ')}, service but got ${JSON.stringify(owner.type)}`);
  return layer;
}

/** What an import means: a file of the tree, a package (with the layer of what it names), the platform, or a dependency. */
export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'package'; readonly package: Package; readonly layer: Layer }
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'dependency'; readonly name: string };

export function targetOf(tree: SourceTree, from: SourceFile, specifier: string): Target {
  if (specifier.startsWith('.')) return { kind: 'file', path: posix.join(posix.dirname(from.path), specifier).replace(/\.js$/, '.ts') };
  if (specifier.startsWith('node:')) return { kind: 'node', name: specifier };
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const owner = tree.packages.find((each) => each.name === name);
  if (!owner) return { kind: 'dependency', name };
  return { kind: 'package', package: owner, layer: layerOf(owner, `${owner.folder}/${specifier === `${name}/core` ? 'core' : 'shell'}/`) };
}
