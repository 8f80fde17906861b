// What the rules need to know about a module, read from its syntax tree rather than by searching its text.
import { parseAst } from 'vitest/node';

export interface Import {
  readonly specifier: string;
  /** Whether nothing of it is left when types are erased. */
  readonly isTypeOnly: boolean;
}

/** A call or construction with what it names: `refuse`, `TOPICS.requests`, `new Date`. */
export interface Call {
  readonly callee: string;
  readonly isConstruction: boolean;
  /** Per argument, the texts it can be: a literal, or the branches of a conditional. */
  readonly argumentTexts: readonly (readonly string[])[];
}

/** A property, in an object or a type, with the texts it can be. */
export interface NamedTexts {
  readonly name: string;
  readonly texts: readonly string[];
}

export interface ModuleSyntax {
  readonly imports: readonly Import[];
  readonly calls: readonly Call[];
  /** Free names the module mentions, with one property: `process`, `Date.now`, `Math.random`. Names it declares itself are left out. */
  readonly globals: ReadonlySet<string>;
  readonly properties: readonly NamedTexts[];
  /** Functions with the position of a parameter called `code`. */
  readonly codeTakers: readonly { readonly name: string; readonly position: number }[];
  /** What functions called `codeOf...` return. */
  readonly codesGiven: ReadonlySet<string>;
  /** All texts of the module, templates without placeholders included. */
  readonly texts: ReadonlySet<string>;
  /** All identifiers, property names among them. */
  readonly names: ReadonlySet<string>;
  /** Names it declares itself. */
  readonly declared: ReadonlySet<string>;
  /** Each member that is read, `TOPICS.requests`. */
  readonly members: ReadonlySet<string>;
}

type Node = { readonly type: string; readonly [key: string]: unknown };

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as { readonly type?: unknown }).type === 'string';
const nameOf = (value: unknown): string | undefined => (isNode(value) && value.type === 'Identifier' ? (value['name'] as string) : undefined);

/** Parses TypeScript. Throws on text that is none. */
export function parseModule(text: string): ModuleSyntax {
  const imports: Import[] = [];
  const calls: Call[] = [];
  const mentioned = new Set<string>();
  const declared = new Set<string>();
  const imported = new Set<string>();
  const properties: NamedTexts[] = [];
  const codeTakers: { name: string; position: number }[] = [];
  const codesGiven = new Set<string>();
  const texts = new Set<string>();
  const members = new Set<string>();
  const names = new Set<string>();

  const visit = (node: Node, parent: Node | undefined, key: string): void => {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
        if (isNode(node['source'])) imports.push({ specifier: String(node['source']['value']), isTypeOnly: isTypeOnly(node) });
        break;
      case 'ImportExpression':
        for (const specifier of textsOf(node['source'])) imports.push({ specifier, isTypeOnly: false });
        break;
      case 'CallExpression':
      case 'NewExpression': {
        const callee = dotted(node['callee']);
        const args = (node['arguments'] as readonly unknown[]).map(textsOf);
        if (callee !== undefined) calls.push({ callee, isConstruction: node.type === 'NewExpression', argumentTexts: args });
        // `createRequire(import.meta.url)('name')` and `here.resolve('name')` reach a package by its name too.
        if (callee === 'require' || (isNode(node['callee']) && dotted(node['callee']['callee']) === 'createRequire'))
          for (const specifier of args[0] ?? []) imports.push({ specifier, isTypeOnly: false });
        break;
      }
      case 'MemberExpression': {
        const path = dotted(node);
        if (path !== undefined) members.add(path);
        break;
      }
      case 'Identifier':
        names.add(String(node['name']));
        if (isReference(node, parent, key)) mentioned.add(parent?.type === 'MemberExpression' && key === 'object' ? (dotted(parent) ?? String(node['name'])) : String(node['name']));
        if (isDeclaration(parent, key)) (key === 'local' ? imported : declared).add(String(node['name']));
        break;
      case 'Property':
      case 'TSPropertySignature':
      case 'PropertyDefinition': {
        const name = nameOf(node['key']) ?? textsOf(node['key'])[0];
        const values = textsOf(node['value'] ?? node['typeAnnotation']);
        if (name !== undefined && values.length > 0) properties.push({ name, texts: values });
        break;
      }
      case 'Literal':
        if (typeof node['value'] === 'string') texts.add(node['value']);
        break;
      case 'TemplateElement':
        texts.add(String((node['value'] as { readonly cooked?: string }).cooked ?? ''));
        break;
      default:
        break;
    }
    if (node.type === 'FunctionDeclaration' && nameOf(node['id'])?.startsWith('codeOf')) returnsOf(node, codesGiven);
    const position = ((node['params'] as readonly unknown[] | undefined) ?? []).findIndex((parameter) => nameOf(parameter) === 'code');
    const functionName = nameOf(node['id']) ?? nameOf(parent?.['id']);
    if (position >= 0 && functionName !== undefined) codeTakers.push({ name: functionName, position });
    for (const [childKey, child] of Object.entries(node)) {
      for (const each of Array.isArray(child) ? child : [child]) if (isNode(each)) visit(each, node, childKey);
    }
  };
  visit(parseAst(text, { lang: 'ts' }) as unknown as Node, undefined, '');
  const globals = new Set([...mentioned].filter((name) => !declared.has(name.split('.')[0]!) && !imported.has(name.split('.')[0]!)));
  return { imports, calls, globals, properties, codeTakers, codesGiven, texts, declared, members, names };
}

function isTypeOnly(node: Node): boolean {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = (node['specifiers'] as readonly Node[] | undefined) ?? [];
  return specifiers.length > 0 && specifiers.every((each) => each['importKind'] === 'type' || each['exportKind'] === 'type');
}

/** `a` or `a.b` or `a.b.c`; undefined for what is computed. */
function dotted(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier') return node['name'] as string;
  if (node.type === 'ThisExpression') return 'this';
  if (node.type !== 'MemberExpression') return undefined;
  const object = dotted(node['object']);
  const property = node['computed'] === true ? textsOf(node['property'])[0] : nameOf(node['property']);
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

/** The texts that an expression or type can be, as far as they stand there. */
function textsOf(node: unknown): readonly string[] {
  if (!isNode(node)) return [];
  switch (node.type) {
    case 'Literal':
      return typeof node['value'] === 'string' ? [node['value']] : [];
    case 'TSLiteralType':
      return textsOf(node['literal']);
    case 'TSUnionType':
      return (node['types'] as readonly unknown[]).flatMap(textsOf);
    case 'TSTypeAnnotation':
      return textsOf(node['typeAnnotation']);
    case 'ConditionalExpression':
      return [...textsOf(node['consequent']), ...textsOf(node['alternate'])];
    case 'LogicalExpression':
      return [...textsOf(node['left']), ...textsOf(node['right'])];
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return textsOf(node['expression']);
    default:
      return [];
  }
}

function returnsOf(node: Node, found: Set<string>): void {
  if (node.type === 'ReturnStatement') for (const text of textsOf(node['argument'])) found.add(text);
  for (const child of Object.values(node)) for (const each of Array.isArray(child) ? child : [child]) if (isNode(each)) returnsOf(each, found);
}

// A name in the place of a value; property names, labels and types are none.
function isReference(node: Node, parent: Node | undefined, key: string): boolean {
  if (!parent) return false;
  if (parent.type === 'MemberExpression') return key === 'object' || parent['computed'] === true;
  if (['Property', 'MethodDefinition', 'PropertyDefinition'].includes(parent.type)) return key === 'value' || parent['computed'] === true;
  if (parent.type.startsWith('Import') || parent.type.startsWith('Export')) return false;
  if (parent.type.startsWith('TS') && !['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(parent.type)) return false;
  return !isDeclaration(parent, key) && node['type'] === 'Identifier' && parent.type !== 'LabeledStatement';
}

function isDeclaration(parent: Node | undefined, key: string): boolean {
  return parent !== undefined && (key === 'id' || key === 'params' || key === 'local');
}
