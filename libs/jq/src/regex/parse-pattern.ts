/** From the text of a regular expression to its tree. The syntax is Oniguruma's for Perl, as jq has it, without what no automaton can do. */
import { ANY, CharacterSet, classOf, NO_LINE_BREAK, posixClass, setOf, unicodeProperty, type Range } from './character-set.js';
import { PatternInvalid, type Anchor, type Modes, type ParsedPattern, type Pattern } from './syntax.js';

const NESTING_MAX = 100;
const REPEATS_MAX = 1_000;
const GROUPS_MAX = 100;
const EMPTY: Pattern = { kind: 'sequence', items: [] };
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, a: 7, e: 27 };
const ANCHORS: Readonly<Record<string, Anchor>> = { A: 'textStart', z: 'textEnd', Z: 'lastLineEnd', b: 'wordEdge', B: 'noWordEdge' };
const LOOKS: Readonly<Record<string, { readonly isBehind: boolean; readonly isNegative: boolean }>> = {
  '=': { isBehind: false, isNegative: false },
  '!': { isBehind: false, isNegative: true },
  '<=': { isBehind: true, isNegative: false },
  '<!': { isBehind: true, isNegative: true },
};

/** @throws PatternInvalid */
export function parsePattern(text: string, modes: Modes): ParsedPattern {
  return new PatternParser(text, modes).parse();
}

class PatternParser {
  private at = 0;
  private nesting = 0;
  private readonly names: (string | null)[] = [];

  constructor(
    private readonly text: string,
    private modes: Modes,
  ) {}

  parse(): ParsedPattern {
    const pattern = this.choice();
    if (this.at < this.text.length) throw new PatternInvalid('unmatched close parenthesis');
    return { pattern, names: this.names };
  }

  private choice(): Pattern {
    if (++this.nesting > NESTING_MAX) throw new PatternInvalid('too deep nest level');
    // Modes that are switched inside hold until the group that encloses them ends.
    const { modes } = this;
    const options = [this.sequence()];
    while (this.takes('|')) options.push(this.sequence());
    this.modes = modes;
    this.nesting--;
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  private sequence(): Pattern {
    const items: Pattern[] = [];
    while (this.at < this.text.length && !this.isAt('|') && !this.isAt(')')) {
      if (this.modes.isExtended && this.skipsSpace()) continue;
      const item = this.quantified();
      if (item !== EMPTY) items.push(item);
    }
    return items.length === 1 ? items[0]! : items.length === 0 ? EMPTY : { kind: 'sequence', items };
  }

  private skipsSpace(): boolean {
    const skipped = /^(?:\s+|#[^\n]*\n?)/.exec(this.text.slice(this.at, this.at + 10_000))?.[0].length ?? 0;
    this.at += skipped;
    return skipped > 0;
  }

  private quantified(): Pattern {
    let body = this.atom();
    for (;;) {
      const bounds = this.quantifier();
      if (bounds === undefined) return body;
      if (body === EMPTY) throw new PatternInvalid('target of repeat operator is not specified');
      const [least, most] = bounds;
      if (this.isAt('+')) throw new PatternInvalid('possessive repetition is not supported: it is not linear in time');
      body = { kind: 'repeat', body, least, most, isLazy: this.takes('?') };
    }
  }

  private quantifier(): readonly [number, number] | undefined {
    if (this.takes('*')) return [0, Infinity];
    if (this.takes('+')) return [1, Infinity];
    if (this.takes('?')) return [0, 1];
    // What only looks like a repetition is text.
    const counted = /^\{(\d{1,9})(?:(,)(\d{0,9}))?\}/.exec(this.text.slice(this.at, this.at + 24));
    if (!counted) return undefined;
    this.at += counted[0].length;
    const least = Number(counted[1]);
    const most = counted[2] === undefined ? least : counted[3] === '' ? Infinity : Number(counted[3]);
    if (least > most) throw new PatternInvalid('upper is smaller than lower in repeat range');
    if (least > REPEATS_MAX || (most !== Infinity && most > REPEATS_MAX)) throw new PatternInvalid(`too big number for repeat range: at most ${REPEATS_MAX}`);
    return [least, most];
  }

  private atom(): Pattern {
    const character = this.next();
    switch (character) {
      case '(':
        return this.group();
      case '[':
        return { kind: 'set', set: this.bracket() };
      case '.':
        return { kind: 'set', set: this.modes.dotMatchesAll ? ANY : NO_LINE_BREAK };
      case '^':
        return { kind: 'anchor', anchor: this.modes.isMultiline ? 'lineStart' : 'textStart' };
      case '$':
        return { kind: 'anchor', anchor: this.modes.isMultiline ? 'lineEnd' : 'lastLineEnd' };
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        throw new PatternInvalid('target of repeat operator is not specified');
      default:
        return this.literal(character.codePointAt(0)!);
    }
  }

  private literal(point: number): Pattern {
    return { kind: 'set', set: setOf([point], this.modes.ignoresCase) };
  }

  private group(): Pattern {
    if (!this.takes('?')) return this.captured(null);
    const comment = /^#[^)]*\)/.exec(this.text.slice(this.at));
    if (comment) {
      this.at += comment[0].length;
      return EMPTY;
    }
    const opening = /^(?:<([A-Za-z_\p{L}][\w\p{L}]{0,60})>|(<=|<!|=|!)|([imsx]*)(?:-([imsx]+))?([:)]))/u.exec(this.text.slice(this.at, this.at + 80));
    if (!opening) throw new PatternInvalid(this.isAt('>') ? 'atomic groups are not supported: they are not linear in time' : 'undefined group option');
    this.at += opening[0].length;
    const [, name, look, on = '', off = '', end] = opening;
    if (name !== undefined) return this.captured(name);
    if (look !== undefined) return { kind: 'look', body: this.closed(), ...LOOKS[look]! };
    const { modes } = this;
    this.modes = switched(switched(modes, on, true), off, false);
    if (end === ')') return EMPTY;
    const body = this.closed();
    this.modes = modes;
    return body === EMPTY ? { kind: 'sequence', items: [] } : body;
  }

  private captured(name: string | null): Pattern {
    if (this.names.length >= GROUPS_MAX) throw new PatternInvalid(`too many groups: at most ${GROUPS_MAX}`);
    const index = this.names.push(name);
    return { kind: 'group', body: this.closed(), index };
  }

  private closed(): Pattern {
    const body = this.choice();
    if (!this.takes(')')) throw new PatternInvalid('end pattern with unmatched parenthesis');
    return body;
  }

  private escape(): Pattern {
    if (this.at >= this.text.length) throw new PatternInvalid('end pattern at escape');
    const letter = this.text[this.at]!;
    const anchor = Object.hasOwn(ANCHORS, letter) ? ANCHORS[letter] : undefined;
    if (anchor !== undefined) {
      this.at++;
      return { kind: 'anchor', anchor };
    }
    if (letter === 'Q') return this.quoted();
    if (/[1-9kgGXRK]/.test(letter)) throw new PatternInvalid(`\\${letter} is not supported: it is not linear in time`);
    const set = this.escapedSet();
    return set ? { kind: 'set', set } : this.literal(this.escapedPoint());
  }

  private quoted(): Pattern {
    const end = this.text.indexOf('\\E', this.at);
    const quoted = this.text.slice(this.at + 1, end < 0 ? undefined : end);
    this.at = end < 0 ? this.text.length : end + 2;
    return { kind: 'sequence', items: Array.from(quoted, (character) => this.literal(character.codePointAt(0)!)) };
  }

  /** `\d`, `\p{...}` and the like, after the backslash; undefined for a single code point. */
  private escapedSet(): CharacterSet | undefined {
    const letter = this.text[this.at]!;
    if (letter === 'p' || letter === 'P') {
      const named = /^[pP]\{(\^?)([^{}]{1,40})\}/.exec(this.text.slice(this.at, this.at + 48));
      const set = named && unicodeProperty(named[2]!, (named[1] === '^') !== (letter === 'P'));
      if (!named || !set) throw new PatternInvalid('invalid character property name');
      this.at += named[0].length;
      return set;
    }
    const set = classOf(letter);
    if (set) this.at++;
    return set;
  }

  /** A single code point after the backslash. */
  private escapedPoint(): number {
    const numbered = /^(?:x\{([0-9A-Fa-f]{1,8})\}|x([0-9A-Fa-f]{0,2})|u([0-9A-Fa-f]{4})|(0[0-7]{0,2}))/.exec(this.text.slice(this.at, this.at + 12));
    if (numbered) {
      this.at += numbered[0].length;
      const [, braced, short, four, octal] = numbered;
      const point = octal === undefined ? parseInt(braced ?? four ?? (short || '0'), 16) : parseInt(octal, 8);
      if (point > 0x10ffff) throw new PatternInvalid('too big wide-char value');
      return point;
    }
    const character = this.next();
    return Object.hasOwn(CONTROLS, character) ? CONTROLS[character]! : character.codePointAt(0)!;
  }

  private bracket(): CharacterSet {
    const isNegative = this.takes('^');
    const pieces: (CharacterSet | Range)[] = [];
    for (let isFirst = true; isFirst || !this.isAt(']'); isFirst = false) {
      if (this.at >= this.text.length) throw new PatternInvalid('premature end of char-class');
      const piece = this.bracketPiece();
      if (typeof piece !== 'number') {
        pieces.push(piece);
        continue;
      }
      const last = this.rangeEnd();
      if (last < piece && last >= 0) throw new PatternInvalid('empty range in char class');
      pieces.push([piece, last < 0 ? piece : last]);
    }
    this.at++;
    return new CharacterSet(pieces, isNegative, this.modes.ignoresCase);
  }

  private bracketPiece(): CharacterSet | number {
    const posix = /^\[:(\^?)([a-z]{1,10}):\]/.exec(this.text.slice(this.at, this.at + 16));
    const set = posix && posixClass(posix[2]!, posix[1] === '^');
    if (posix && set) {
      this.at += posix[0].length;
      return set;
    }
    if (!this.takes('\\')) return this.next().codePointAt(0)!;
    if (this.at >= this.text.length) throw new PatternInvalid('end pattern at escape');
    if (this.takes('b')) return 8;
    return this.escapedSet() ?? this.escapedPoint();
  }

  /** The end of a range that a hyphen begins; -1 when there is none. */
  private rangeEnd(): number {
    if (!this.isAt('-') || this.text[this.at + 1] === ']' || this.at + 1 >= this.text.length) return -1;
    const before = this.at++;
    const end = this.bracketPiece();
    if (typeof end === 'number') return end;
    // `[a-\d]`: the hyphen stands for itself.
    this.at = before;
    return -1;
  }

  private isAt(character: string): boolean {
    return this.text[this.at] === character;
  }

  private takes(character: string): boolean {
    if (!this.isAt(character)) return false;
    this.at++;
    return true;
  }

  private next(): string {
    const character = String.fromCodePoint(this.text.codePointAt(this.at)!);
    this.at += character.length;
    return character;
  }
}

function switched(modes: Modes, letters: string, isOn: boolean): Modes {
  const has = (letter: string, now: boolean): boolean => (letters.includes(letter) ? isOn : now);
  return { ignoresCase: has('i', modes.ignoresCase), dotMatchesAll: has('s', modes.dotMatchesAll), isMultiline: has('m', modes.isMultiline), isExtended: has('x', modes.isExtended) };
}
