/** The tree of a regular expression. */
import type { CharacterSet } from './character-set.js';

/** Where nothing is consumed. `textStart` and `lineStart` are what `^` means without and with `(?m)`. */
export type Anchor = 'textStart' | 'textEnd' | 'lastLineEnd' | 'lineStart' | 'lineEnd' | 'wordEdge' | 'noWordEdge';

export type Pattern =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly items: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  /** `most` is Infinity where there is no bound. */
  | { readonly kind: 'repeat'; readonly body: Pattern; readonly least: number; readonly most: number; readonly isLazy: boolean }
  /** @property index from 1 */
  | { readonly kind: 'group'; readonly body: Pattern; readonly index: number }
  | { readonly kind: 'anchor'; readonly anchor: Anchor }
  | { readonly kind: 'look'; readonly body: Pattern; readonly isBehind: boolean; readonly isNegative: boolean };

/** What a text parses to. */
export interface ParsedPattern {
  readonly pattern: Pattern;
  /** Names of the groups, in order; null for one without a name. */
  readonly names: readonly (string | null)[];
}

/** Modes that `(?imsx)` or the flags of a call switch. */
export interface Modes {
  readonly ignoresCase: boolean;
  /** `.` matches a line break too. */
  readonly dotMatchesAll: boolean;
  /** `^` and `$` match at every line. */
  readonly isMultiline: boolean;
  /** White space and comments mean nothing. */
  readonly isExtended: boolean;
}

/** Why a text is no regular expression that we take. */
export class PatternInvalid {
  constructor(readonly message: string) {}
}
