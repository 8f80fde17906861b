import type { BinaryOperator, Definition, FormatName, Node, ObjectField, Parameter, Pattern, PatternField, UpdateOperator } from './ast.js';
import { SyntaxFault } from './failure.js';
import { describeToken, Lexer, type Token } from './lexer.js';

/** Longest text of one expression, in UTF-16 code units. */
export const TEXT_CHARACTERS_MAX = 65_536;
/** Most levels of the syntax tree; operators in a row count one each. */
export const TREE_LEVELS_MAX = 400;
/** Most names that one `as` or one list of parameters introduces. */
const NAMES_MAX = 128;
/** Most alternatives of one `as`. */
const ALTERNATIVES_MAX = 32;

const FORMATS: ReadonlySet<string> = new Set<FormatName>(['text', 'json', 'csv', 'tsv', 'html', 'uri', 'urid', 'sh', 'base64', 'base64d', 'base32', 'base32d']);

type Precedence = readonly [binding: number, associativity: 'left' | 'right' | 'none'];

function level(binding: number, associativity: Precedence[1], operators: readonly string[]): (readonly [string, Precedence])[] {
  return operators.map((operator) => [operator, [binding, associativity]]);
}

const OPERATORS: ReadonlyMap<string, Precedence> = new Map([
  ...level(1, 'right', ['//']),
  ...level(2, 'none', ['=', '|=', '+=', '-=', '*=', '/=', '%=', '//=']),
  ...level(3, 'left', ['or']),
  ...level(4, 'left', ['and']),
  ...level(5, 'none', ['==', '!=', '<', '<=', '>', '>=']),
  ...level(6, 'left', ['+', '-']),
  ...level(7, 'left', ['*', '/', '%']),
]);

const CONSTANTS: ReadonlyMap<string, null | boolean> = new Map([
  ['null', null],
  ['true', true],
  ['false', false],
]);

/** Parses a whole program. Throws `SyntaxFault`. */
export function parse(text: string): Node {
  if (text.length > TEXT_CHARACTERS_MAX) throw new SyntaxFault(`an expression of at most ${TEXT_CHARACTERS_MAX} characters`, `one of ${text.length}`, 0);
  return new Parser(text).program();
}

/** Parses a run of definitions without a body, each ended by `;`: the form of the definitions that come with the language. */
export function parseDefinitions(text: string): readonly Definition[] {
  return new Parser(text).definitions();
}

class Parser {
  private readonly lexer: Lexer;
  private token: Token;
  private levels = 0;
  private names = 0;

  constructor(private readonly text: string) {
    this.lexer = new Lexer(text);
    this.token = this.lexer.next();
  }

  program(): Node {
    const node = this.token.kind === 'end' ? ({ kind: 'identity', at: 0 } as const) : this.pipe();
    if (this.token.kind !== 'end') this.fault('the end of the expression');
    return node;
  }

  definitions(): readonly Definition[] {
    const found: Definition[] = [];
    while (this.token.kind !== 'end') found.push(this.definition());
    return found;
  }

  /** Lowest binding: `|`, to the right. With `isField` a comma ends it, as in the fields of an object. */
  private pipe(isField = false): Node {
    return this.nested(() => {
      const at = this.token.at;
      if (this.isKeyword('def')) {
        const definition = this.definition();
        return { kind: 'define', at, definition, body: this.pipe(isField) };
      }
      const left = isField ? this.element() : this.comma();
      if (!this.accept('|')) return left;
      return { kind: 'pipe', at, left, right: this.pipe(isField) };
    });
  }

  private comma(): Node {
    const at = this.token.at;
    const first = this.element();
    if (!this.isSymbol(',')) return first;
    const items = [first];
    while (this.accept(',')) items.push(this.element());
    return { kind: 'comma', at, items };
  }

  /** What stands between commas. A binding, a label or a definition takes all that follows as its body. */
  private element(): Node {
    const at = this.token.at;
    if (this.isKeyword('def')) return this.pipe();
    if (this.isKeyword('label')) {
      this.advance();
      const name = this.variableName('the name of a label, such as "$out"');
      this.expect('|');
      return { kind: 'label', at, name, body: this.pipe() };
    }
    if (this.isKeyword('import') || this.isKeyword('include') || this.isKeyword('module')) this.fault('an expression without modules');
    const source = this.operators(0);
    if (!this.isKeyword('as')) return source;
    const patterns = this.patterns();
    this.expect('|');
    return { kind: 'bind', at, source, patterns, body: this.pipe() };
  }

  private operators(bindingMin: number): Node {
    const outer = this.levels;
    const at = this.token.at;
    let left = this.prefixed();
    for (;;) {
      const operator = this.token.kind === 'symbol' || this.token.kind === 'keyword' ? this.token.value : '';
      const [binding, associativity] = OPERATORS.get(operator) ?? [-1, 'none'];
      if (binding < 0 || binding < bindingMin) break;
      this.advance();
      this.deepen();
      const right = this.operators(associativity === 'right' ? binding : binding + 1);
      left = operatorNode(operator, at, left, right);
      if (associativity === 'none' && OPERATORS.get(this.token.value)?.[0] === binding && this.token.kind === 'symbol') {
        this.fault(`parentheses, as ${JSON.stringify(operator)} does not chain`);
      }
    }
    this.levels = outer;
    return left;
  }

  private prefixed(): Node {
    const at = this.token.at;
    if (!this.isSymbol('-')) return this.postfixed();
    return this.nested(() => {
      this.advance();
      return { kind: 'negate', at, operand: this.prefixed() };
    });
  }

  private postfixed(): Node {
    const outer = this.levels;
    let node = this.term();
    for (;;) {
      const { at, kind, value } = this.token;
      if (kind === 'field') {
        this.advance();
        node = { kind: 'index', at, target: node, key: { kind: 'literal', at, value } };
      } else if (kind === 'symbol' && value === '.') {
        this.advance();
        if (this.token.kind === 'quote') node = { kind: 'index', at, target: node, key: this.quoted('text') };
        else if (this.isSymbol('[')) node = this.bracket(node);
        else this.fault('a field, a text or "[" after "."');
      } else if (kind === 'symbol' && value === '[') {
        node = this.bracket(node);
      } else if (kind === 'symbol' && value === '?') {
        this.advance();
        node = { kind: 'try', at, body: node, handler: undefined };
      } else if (kind === 'symbol' && (value === '?//' || value === '?//=')) {
        this.token = { kind: 'symbol', value: value.slice(1), at: at + 1 };
        node = { kind: 'try', at, body: node, handler: undefined };
      } else break;
      this.deepen();
    }
    this.levels = outer;
    return node;
  }

  private bracket(target: Node): Node {
    const at = this.token.at;
    this.expect('[');
    if (this.accept(']')) return { kind: 'iterate', at, target };
    if (this.accept(':')) {
      const to = this.pipe();
      this.expect(']');
      return { kind: 'slice', at, target, from: undefined, to };
    }
    const key = this.pipe();
    if (!this.accept(':')) {
      this.expect(']');
      return { kind: 'index', at, target, key };
    }
    const to = this.isSymbol(']') ? undefined : this.pipe();
    this.expect(']');
    return { kind: 'slice', at, target, from: key, to };
  }

  private term(): Node {
    const { kind, value, at } = this.token;
    switch (kind) {
      case 'number':
        this.advance();
        return { kind: 'literal', at, value: Math.min(Number(value), Number.MAX_VALUE) };
      case 'quote':
        return this.quoted('text');
      case 'format':
        return this.format();
      case 'field':
        this.advance();
        return { kind: 'index', at, target: { kind: 'identity', at }, key: { kind: 'literal', at, value } };
      case 'variable':
        this.advance();
        return value === '__loc__' ? this.location(at) : { kind: 'variable', at, name: value };
      case 'name':
        return this.call();
      case 'keyword':
        return this.keywordTerm();
      case 'symbol':
        return this.symbolTerm();
      default:
        return this.fault('an expression');
    }
  }

  private symbolTerm(): Node {
    const { value, at } = this.token;
    switch (value) {
      case '.':
        this.advance();
        if (this.token.kind === 'quote') return { kind: 'index', at, target: { kind: 'identity', at }, key: this.quoted('text') };
        return { kind: 'identity', at };
      case '..':
        this.advance();
        return { kind: 'descend', at };
      case '(': {
        this.advance();
        const inner = this.pipe();
        this.expect(')');
        return inner;
      }
      case '[': {
        this.advance();
        if (this.accept(']')) return { kind: 'array', at, items: undefined };
        const items = this.pipe();
        this.expect(']');
        return { kind: 'array', at, items };
      }
      case '{':
        return this.object();
      default:
        return this.fault('an expression');
    }
  }

  private keywordTerm(): Node {
    const { value, at } = this.token;
    switch (value) {
      case 'if':
        return this.nested(() => this.condition());
      case 'try': {
        this.advance();
        return this.nested(() => {
          const body = this.handled();
          if (!this.isKeyword('catch')) return { kind: 'try', at, body, handler: undefined };
          this.advance();
          return { kind: 'try', at, body, handler: this.handled() };
        });
      }
      case 'reduce': {
        this.advance();
        const [source, patterns] = this.source();
        const initial = this.pipe();
        this.expect(';');
        const update = this.pipe();
        this.expect(')');
        return { kind: 'reduce', at, source, patterns, initial, update };
      }
      case 'foreach': {
        this.advance();
        const [source, patterns] = this.source();
        const initial = this.pipe();
        this.expect(';');
        const update = this.pipe();
        const extract = this.accept(';') ? this.pipe() : undefined;
        this.expect(')');
        return { kind: 'foreach', at, source, patterns, initial, update, extract };
      }
      default:
        return this.fault('an expression');
    }
  }

  /** What `try` and `catch` apply to: one term with its suffixes, or its negation. */
  private handled(): Node {
    return this.prefixed();
  }

  private source(): readonly [Node, readonly Pattern[]] {
    const source = this.operators(0);
    if (!this.isKeyword('as')) this.fault('"as"');
    const patterns = this.patterns();
    this.expect('(');
    return [source, patterns];
  }

  /** From `if` or `elif` to the `end` they share. */
  private condition(): Node {
    const at = this.token.at;
    this.advance();
    const condition = this.pipe();
    this.expectKeyword('then');
    const whenTrue = this.pipe();
    if (this.isKeyword('elif')) return { kind: 'if', at, condition, whenTrue, whenFalse: this.nested(() => this.condition()) };
    let whenFalse: Node | undefined;
    if (this.isKeyword('else')) {
      this.advance();
      whenFalse = this.pipe();
    }
    this.expectKeyword('end');
    return { kind: 'if', at, condition, whenTrue, whenFalse };
  }

  private call(): Node {
    const { value: name, at } = this.token;
    this.advance();
    if (name === 'break' && this.token.kind === 'variable') {
      const label = this.token.value;
      this.advance();
      return { kind: 'break', at, name: label };
    }
    const constant = CONSTANTS.get(name);
    if (constant !== undefined && !this.isSymbol('(')) return { kind: 'literal', at, value: constant };
    const args: Node[] = [];
    if (this.accept('(')) {
      do args.push(this.pipe());
      while (this.accept(';'));
      this.expect(')');
    }
    return { kind: 'call', at, name, args };
  }

  private definition(): Definition {
    this.advance();
    if (this.token.kind !== 'name' && this.token.kind !== 'keyword') this.fault('the name of a function');
    const name = this.token.value;
    this.advance();
    const parameters: Parameter[] = [];
    if (this.accept('(')) {
      this.names = 0;
      do parameters.push(this.parameter());
      while (this.accept(';'));
      this.expect(')');
    }
    this.expect(':');
    const body = this.pipe();
    this.expect(';');
    return { name, parameters, body };
  }

  private parameter(): Parameter {
    const { kind, value } = this.token;
    if (kind !== 'name' && kind !== 'keyword' && kind !== 'variable') this.fault('the name of a parameter');
    this.count();
    this.advance();
    return { name: value, isValue: kind === 'variable' };
  }

  private patterns(): readonly Pattern[] {
    this.advance();
    this.names = 0;
    const found = [this.pattern()];
    while (this.accept('?//')) {
      if (found.length === ALTERNATIVES_MAX) this.fault(`at most ${ALTERNATIVES_MAX} alternatives`);
      found.push(this.pattern());
    }
    return found;
  }

  private pattern(): Pattern {
    const token = this.token;
    if (token.kind === 'variable') {
      this.count();
      this.advance();
      return { kind: 'name', name: token.value };
    }
    const outer = this.levels;
    this.deepen();
    try {
      if (this.accept('[')) {
        const items = [this.pattern()];
        while (this.accept(',')) items.push(this.pattern());
        this.expect(']');
        return { kind: 'array', items };
      }
      if (this.accept('{')) {
        const fields = [this.patternField()];
        while (this.accept(',')) fields.push(this.patternField());
        this.expect('}');
        return { kind: 'object', fields };
      }
    } finally {
      this.levels = outer;
    }
    return this.fault('a variable, "[" or "{"');
  }

  private patternField(): PatternField {
    const { kind, value, at } = this.token;
    if (kind === 'variable') {
      this.count();
      this.advance();
      return { variable: value, key: { kind: 'literal', at, value }, pattern: this.accept(':') ? this.pattern() : undefined };
    }
    let key: Node;
    if (kind === 'name' || kind === 'keyword') {
      this.advance();
      key = { kind: 'literal', at, value };
    } else if (kind === 'quote') {
      key = this.quoted('text');
    } else if (this.accept('(')) {
      key = this.constantKey(this.pipe());
      this.expect(')');
    } else return this.fault('a key of an object pattern');
    this.expect(':');
    return { variable: undefined, key, pattern: this.pattern() };
  }

  private object(): Node {
    return this.nested(() => {
      const at = this.token.at;
      this.expect('{');
      const fields: ObjectField[] = [];
      if (this.accept('}')) return { kind: 'object', at, fields };
      do fields.push(this.objectField());
      while (this.accept(','));
      this.expect('}');
      return { kind: 'object', at, fields };
    });
  }

  private objectField(): ObjectField {
    const { kind, value, at } = this.token;
    if (kind === 'variable') {
      this.advance();
      const variable: Node = value === '__loc__' ? this.location(at) : { kind: 'variable', at, name: value };
      if (!this.accept(':')) return { key: { kind: 'literal', at, value }, value: variable };
      return { key: variable, value: this.pipe(true) };
    }
    let key: Node;
    if (kind === 'name' || kind === 'keyword') {
      this.advance();
      key = { kind: 'literal', at, value };
    } else if (kind === 'number') {
      return this.fault('a text as key of the object');
    } else if (kind === 'quote') {
      key = this.quoted('text');
    } else if (kind === 'format') {
      key = this.format();
    } else if (this.accept('(')) {
      key = this.constantKey(this.pipe());
      this.expect(')');
      this.expect(':');
      return { key, value: this.pipe(true) };
    } else return this.fault('a key of the object');
    if (this.accept(':')) return { key, value: this.pipe(true) };
    return { key, value: { kind: 'index', at, target: { kind: 'identity', at }, key } };
  }

  private constantKey(key: Node): Node {
    if (key.kind === 'literal' && typeof key.value !== 'string') throw new SyntaxFault('a text as key of the object', JSON.stringify(key.value), key.at);
    return key;
  }

  private format(): Node {
    const { value, at } = this.token;
    if (!FORMATS.has(value)) this.fault(`a format we know (${[...FORMATS].join(', ')})`);
    const format = value as FormatName;
    this.advance();
    return this.token.kind === 'quote' ? this.quoted(format) : { kind: 'format', at, format };
  }

  /** A text literal from its opening quote; interpolated values pass through the format. */
  private quoted(format: FormatName): Node {
    return this.nested(() => {
      const at = this.token.at;
      const parts: (string | Node)[] = [];
      for (;;) {
        const piece = this.lexer.textPiece(at);
        if (piece.text !== '') parts.push(piece.text);
        if (piece.endsWith === 'quote') break;
        this.advance();
        parts.push(this.pipe());
        // The lexer must go on inside the text right after this parenthesis, so it is not passed over by advance().
        if (!this.isSymbol(')')) this.fault('")" after the interpolated expression');
      }
      this.advance();
      const [only] = parts;
      if (parts.length === 0) return { kind: 'literal', at, value: '' };
      if (parts.length === 1 && typeof only === 'string') return { kind: 'literal', at, value: only };
      return { kind: 'text', at, format, parts };
    });
  }

  private location(at: number): Node {
    const line = this.text.slice(0, at).split('\n').length;
    return { kind: 'literal', at, value: { file: '<top-level>', line } };
  }

  private variableName(expected: string): string {
    if (this.token.kind !== 'variable') this.fault(expected);
    const name = this.token.value;
    this.advance();
    return name;
  }

  private nested<T>(parsePart: () => T): T {
    const outer = this.levels;
    this.deepen();
    const node = parsePart();
    this.levels = outer;
    return node;
  }

  private count(): void {
    if (++this.names > NAMES_MAX) this.fault(`at most ${NAMES_MAX} names in one list`);
  }

  private deepen(): void {
    if (++this.levels > TREE_LEVELS_MAX) throw new SyntaxFault(`at most ${TREE_LEVELS_MAX} levels of nesting`, 'more', this.token.at);
  }

  private advance(): void {
    this.token = this.lexer.next();
  }

  private isSymbol(value: string): boolean {
    return this.token.kind === 'symbol' && this.token.value === value;
  }

  private isKeyword(value: string): boolean {
    return this.token.kind === 'keyword' && this.token.value === value;
  }

  private accept(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.advance();
    return true;
  }

  private expect(symbol: string): void {
    if (!this.accept(symbol)) this.fault(JSON.stringify(symbol));
  }

  private expectKeyword(keyword: string): void {
    if (!this.isKeyword(keyword)) this.fault(JSON.stringify(keyword));
    this.advance();
  }

  private fault(expected: string): never {
    throw new SyntaxFault(expected, describeToken(this.token), this.token.at);
  }
}

function operatorNode(operator: string, at: number, left: Node, right: Node): Node {
  switch (operator) {
    case '//':
      return { kind: 'alternative', at, left, right };
    case 'and':
    case 'or':
      return { kind: 'logic', at, operator, left, right };
    case '=':
    case '|=':
    case '+=':
    case '-=':
    case '*=':
    case '/=':
    case '%=':
    case '//=':
      return { kind: 'update', at, operator: operator as UpdateOperator, target: left, value: right };
    default:
      return { kind: 'binary', at, operator: operator as BinaryOperator, left, right };
  }
}
