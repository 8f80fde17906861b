// A document as TypeScript source that builds it.
import type { JsonObject } from '@weft/kernel';
import type { Part } from './part.js';
import type { Place } from './expression.js';
import { programOf } from './program.js';

/** Source of a module whose default export is the workflow. Running it gives an equal document. @param document that `parseWorkflow` accepts. */
export function toTypeScript(document: JsonObject): string {
  const printer = new SourcePrinter();
  const { name, head, tasks } = programOf(document);
  const body = `export default ${printer.name('workflow')}(${quoted(name)}, ${printer.part(head, 0)}).do(${printer.part(tasks, 0)});\n`;
  return `import { ${printer.names().join(', ')} } from '@weft/builder';\n\n${body}`;
}

const LINE_MAX = 100;
const quoted = (text: string): string => (text.includes("'") || /[\\\n\r\u2028\u2029]/.test(text) ? JSON.stringify(text) : `'${text}'`);
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

class SourcePrinter {
  readonly #used = new Set<string>();

  /** Marks a name as imported. */
  name(name: string): string {
    this.#used.add(name);
    return name;
  }

  names(): readonly string[] {
    return [...this.#used].toSorted();
  }

  /** @param indent undefined: on one line, whatever its length. */
  part(part: Part, indent?: number): string {
    switch (part.kind) {
      case 'value':
        return typeof part.value === 'string' ? quoted(part.value) : JSON.stringify(part.value);
      case 'expression':
        return this.#expression(part.jq, part.spot.place);
      case 'list':
        return this.#within(
          '[',
          part.items.map((item) => (deeper?: number) => this.part(item, deeper)),
          ']',
          indent,
        );
      case 'object': {
        const fields = part.fields.map(
          ([name, value]) =>
            (deeper?: number) =>
              `${keyOf(name)}: ${this.part(value, deeper)}`,
        );
        return this.#within('{', fields, '}', indent);
      }
      case 'call':
        return `${this.name(part.name)}(${part.args.map((arg) => this.part(arg, indent)).join(', ')})`;
    }
  }

  /** On one line where that is short enough, else one item a line. */
  #within(open: string, items: readonly ((indent?: number) => string)[], close: string, indent: number | undefined): string {
    if (items.length === 0) return open + close;
    const line = items.map((item) => item()).join(', ');
    const space = open === '{' ? ' ' : '';
    if (indent === undefined || (!line.includes('\n') && line.length + indent < LINE_MAX)) return `${open}${space}${line}${space}${close}`;
    const lead = ' '.repeat(indent + 2);
    return `${open}\n${items.map((item) => `${lead}${item(indent + 2)},\n`).join('')}${' '.repeat(indent)}${close}`;
  }

  #expression(jq: string, place: Place): string {
    const [, root, path] = /^(\.(?=[[]|$)|(?=\.[A-Za-z_])|\$[A-Za-z_]\w*)((?:\.[A-Za-z_]\w*|\[\d+\])*)$/.exec(jq) ?? [];
    const start = root === undefined ? undefined : this.#handle(root, place);
    if (start !== undefined) return `${start}${path}`;
    if (jq.includes('\\`') || jq.includes('\\$') || jq.includes('\r')) return `${this.name('jqText')}(${JSON.stringify(jq)})`;
    return `${this.name('jq')}\`${jq.replaceAll('`', '\\`').replaceAll('${', '\\${')}\``;
  }

  /** The handle that is written as this root, where it stands. */
  #handle(root: string, place: Place): string {
    if (root === '' || root === '.') return this.name(place === 'event' ? 'it' : place === 'before' || place === 'task' ? 'input' : 'output');
    const name = root.slice(1);
    if (name === 'context') return this.name('context');
    if (name === 'input' && (place === 'output' || place === 'export' || place === 'event')) return this.name('input');
    if (name === 'workflow' || name === 'task' || name === 'runtime') return `${this.name('info')}.${name}`;
    return `${this.name('variable')}(${quoted(name)})`;
  }
}

// Computed, so that it is a field like any other.
const keyOf = (name: string): string => (name === '__proto__' ? "['__proto__']" : IDENTIFIER.test(name) ? name : quoted(name));
