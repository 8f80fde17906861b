/** Sets of code points. ASCII is a table; what lies above is asked piece by piece. */

/** Code points from the first to the last, both included. */
export type Range = readonly [first: number, last: number];
/** Above ASCII: a range, a Unicode property or another set. */
type Piece = Range | RegExp | CharacterSet;

const ASCII_MAX = 127;

export class CharacterSet {
  private readonly ascii: Uint8Array;
  /** How many pieces a look may have to ask, at least 1. */
  readonly weight: number;

  constructor(
    private readonly pieces: readonly Piece[],
    private readonly isNegative = false,
    private readonly ignoresCase = false,
  ) {
    this.weight = pieces.reduce((sum, piece) => sum + (piece instanceof CharacterSet ? piece.weight : 1), 1);
    this.ascii = Uint8Array.from({ length: ASCII_MAX + 1 }, (_, point) => (this.judge(point) ? 1 : 0));
  }

  has(point: number): boolean {
    return point <= ASCII_MAX ? this.ascii[point] === 1 : this.judge(point);
  }

  private judge(point: number): boolean {
    const isListed = this.lists(point) || (this.ignoresCase && otherCases(point).some((other) => this.lists(other)));
    return isListed !== this.isNegative;
  }

  private lists(point: number): boolean {
    return this.pieces.some((piece) => (piece instanceof CharacterSet ? piece.has(point) : piece instanceof RegExp ? piece.test(String.fromCodePoint(point)) : piece[0] <= point && point <= piece[1]));
  }
}

/** The single code points that differ from this one by case alone. */
function otherCases(point: number): number[] {
  const text = String.fromCodePoint(point);
  // Upper of lower reaches what has two lower forms, as the final sigma.
  return [text.toLowerCase(), text.toUpperCase(), text.toUpperCase().toLowerCase(), text.toLowerCase().toUpperCase()].flatMap((other) => {
    const first = other.codePointAt(0)!;
    return other.length === (first > 0xffff ? 2 : 1) ? [first] : [];
  });
}

const property = (name: string): RegExp => new RegExp(`^\\p{${name}}$`, 'u');
const WORD = /^[\p{L}\p{M}\p{N}\p{Pc}]$/u;

export const ANY = new CharacterSet([[0, 0x10ffff]]);
export const NO_LINE_BREAK = new CharacterSet([[10, 10]], true);
export const WORD_CHARACTER = new CharacterSet([WORD]);

const CLASSES: Readonly<Record<string, CharacterSet>> = { d: new CharacterSet([/^\p{Nd}$/u]), s: new CharacterSet([/^\p{White_Space}$/u]), w: WORD_CHARACTER };

/** What `\d \s \w` and their opposites stand for. */
export function classOf(letter: string): CharacterSet | undefined {
  const set = CLASSES[letter.toLowerCase()];
  return set === undefined || letter === letter.toLowerCase() ? set : new CharacterSet([set], true);
}

const POSIX: Readonly<Record<string, readonly Piece[]>> = {
  alnum: [/^[\p{L}\p{M}\p{Nd}]$/u],
  alpha: [/^[\p{L}\p{M}]$/u],
  ascii: [[0, 127]],
  blank: [[9, 9], /^\p{Zs}$/u],
  cntrl: [/^\p{Cc}$/u],
  digit: [/^\p{Nd}$/u],
  graph: [/^[^\p{White_Space}\p{Cc}\p{Cn}\p{Cs}]$/u],
  lower: [/^\p{Lowercase}$/u],
  print: [/^[^\p{Cc}\p{Cn}\p{Cs}]$/u],
  punct: [/^[\p{P}$+<=>^`|~]$/u],
  space: [/^\p{White_Space}$/u],
  upper: [/^\p{Uppercase}$/u],
  word: [WORD],
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
};

/** The set of a POSIX class such as `alpha`. */
export function posixClass(name: string, isNegative: boolean): CharacterSet | undefined {
  const pieces = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;
  return pieces && new CharacterSet(pieces, isNegative);
}

/** The set of a Unicode property as `\p{...}` names it: a category, a script, a binary property or a POSIX class. */
export function unicodeProperty(name: string, isNegative: boolean): CharacterSet | undefined {
  const posix = posixClass(name.toLowerCase(), isNegative);
  if (posix) return posix;
  if (!/^[A-Za-z_]{1,40}$/.test(name)) return undefined;
  for (const known of [name, `Script=${name}`]) {
    try {
      return new CharacterSet([property(known)], isNegative);
    } catch {
      // Not this kind of name.
    }
  }
  return undefined;
}

/** Exactly these code points. */
export const setOf = (points: readonly number[], ignoresCase: boolean): CharacterSet =>
  new CharacterSet(
    points.map((point) => [point, point] as const),
    false,
    ignoresCase,
  );
