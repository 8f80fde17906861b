import { SyntaxFault } from './failure.js';

/** A token of jq. `value` is the name without sigil for names, fields, variables and formats; the text itself otherwise. */
export interface Token {
  readonly kind: 'end' | 'name' | 'keyword' | 'field' | 'variable' | 'format' | 'number' | 'quote' | 'symbol';
  readonly value: string;
  /** Offset of its first character, in UTF-16 code units. */
  readonly at: number;
}

/** A piece of a text literal: plain characters up to the closing quote or up to an interpolation. */
export interface TextPiece {
  readonly text: string;
  readonly endsWith: 'quote' | 'interpolation';
}

const KEYWORDS = new Set(['def', 'as', 'if', 'then', 'elif', 'else', 'end', 'and', 'or', 'reduce', 'foreach', 'try', 'catch', 'label', 'import', 'include', 'module', '__loc__']);

const SPACE = /(?:[ \t\r\n]+|#(?:[^\n\\]|\\[^])*)*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*/y;
const FIELD = /\.[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const FORMAT = /@[A-Za-z0-9_]+/y;
const SYMBOL = /\?\/\/=|\?\/\/|\/\/=|\|=|\+=|-=|\*=|\/=|%=|==|!=|<=|>=|\/\/|\.\.|[.[\](){}|,:;=<>+\-*/%?$]/y;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Reads tokens on demand, so that the parser can hand over inside text literals. */
export class Lexer {
  private position = 0;

  constructor(private readonly text: string) {}

  /** The next token. Throws `SyntaxFault` at a character no token starts with. */
  next(): Token {
    this.match(SPACE);
    const at = this.position;
    const first = this.text[at];
    if (first === undefined) return { kind: 'end', value: '', at };
    if (first === '"') {
      this.position++;
      return { kind: 'quote', value: '"', at };
    }
    const field = this.match(FIELD);
    if (field !== undefined) return { kind: 'field', value: field.slice(1), at };
    const number = this.match(NUMBER);
    if (number !== undefined) return { kind: 'number', value: number, at };
    const name = this.match(NAME);
    if (name !== undefined) return { kind: KEYWORDS.has(name) ? 'keyword' : 'name', value: name, at };
    const format = this.match(FORMAT);
    if (format !== undefined) return { kind: 'format', value: format.slice(1), at };
    const symbol = this.match(SYMBOL);
    if (symbol === undefined) throw new SyntaxFault('an expression', JSON.stringify(first), at);
    if (symbol !== '$') return { kind: 'symbol', value: symbol, at };
    this.match(SPACE);
    const variable = this.match(NAME);
    if (variable === undefined) throw new SyntaxFault('the name of a variable after "$"', this.describe(this.position), this.position);
    return { kind: 'variable', value: variable, at };
  }

  /** The next piece of a text literal; the position must be just after its opening quote or after an interpolation's `)`. */
  textPiece(openedAt: number): TextPiece {
    let text = '';
    for (;;) {
      const start = this.position;
      let end = start;
      while (end < this.text.length && this.text[end] !== '"' && this.text[end] !== '\\') end++;
      text += this.text.slice(start, end);
      this.position = end;
      if (end >= this.text.length) throw new SyntaxFault('a closing quote for the text', 'the end of the expression', openedAt);
      if (this.text[end] === '"') {
        this.position++;
        return { text, endsWith: 'quote' };
      }
      const escaped = this.text[end + 1] ?? '';
      this.position += 2;
      if (escaped === '(') return { text, endsWith: 'interpolation' };
      text += escaped === 'u' ? this.unicodeEscape(end) : this.simpleEscape(escaped, end);
    }
  }

  private simpleEscape(escaped: string, at: number): string {
    const character = Object.hasOwn(ESCAPES, escaped) ? ESCAPES[escaped] : undefined;
    if (character === undefined) throw new SyntaxFault('an escape that JSON knows, or "\\("', JSON.stringify(`\\${escaped}`), at);
    return character;
  }

  private unicodeEscape(at: number): string {
    const unit = this.hexUnit(at);
    if (unit >= 0xdc00 && unit <= 0xdfff) return '\ufffd';
    if (unit < 0xd800 || unit > 0xdbff) return String.fromCharCode(unit);
    if (this.text.startsWith('\\u', this.position)) {
      const back = this.position;
      this.position += 2;
      const low = this.hexUnit(at);
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low);
      this.position = back;
    }
    return '\ufffd';
  }

  private hexUnit(at: number): number {
    const digits = this.text.slice(this.position, this.position + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new SyntaxFault('four hexadecimal digits after "\\u"', JSON.stringify(digits), at);
    this.position += 4;
    return Number.parseInt(digits, 16);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.position += found.length;
    return found;
  }

  private describe(at: number): string {
    const character = this.text[at];
    return character === undefined ? 'the end of the expression' : JSON.stringify(character);
  }
}

/** What a token is called in a message. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end of the expression';
    case 'field':
      return JSON.stringify(`.${token.value}`);
    case 'variable':
      return JSON.stringify(`$${token.value}`);
    case 'format':
      return JSON.stringify(`@${token.value}`);
    default:
      return JSON.stringify(token.value);
  }
}
