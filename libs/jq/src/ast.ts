import type { Json } from '@weft/kernel';

/** Names of the formats that turn a value into text. */
export type FormatName = 'text' | 'json' | 'csv' | 'tsv' | 'html' | 'uri' | 'urid' | 'sh' | 'base64' | 'base64d' | 'base32' | 'base32d';

/** Binary operators on two values, without short circuit. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>=';

/** Operators that write: plain, by a filter, by an arithmetic operator, or where nothing was. */
export type UpdateOperator = '=' | '|=' | '+=' | '-=' | '*=' | '/=' | '%=' | '//=';

/** Where a node begins: offset into the text, in UTF-16 code units. */
interface Placed {
  readonly at: number;
}

/** One field of an object under construction. */
export interface ObjectField {
  readonly key: Node;
  readonly value: Node;
}

/** What `as` binds: a name, an array by position, or an object by key. */
export type Pattern =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Pattern[] }
  | { readonly kind: 'object'; readonly fields: readonly PatternField[] };

/** A field of an object pattern: `$name`, `$name: pattern`, or `key: pattern`. */
export interface PatternField {
  readonly variable: string | undefined;
  readonly key: Node;
  readonly pattern: Pattern | undefined;
}

/** A parameter of a function: a filter, or (with `$`) a value that is bound as a variable too. */
export interface Parameter {
  readonly name: string;
  readonly isValue: boolean;
}

/** A function definition. */
export interface Definition {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: Node;
}

/** The syntax tree of a jq program. Source: the jq 1.7 manual, and the grammar of jq 1.8 for the precedence of `as`. */
export type Node = Placed &
  (
    | { readonly kind: 'identity' }
    | { readonly kind: 'descend' }
    | { readonly kind: 'literal'; readonly value: Json }
    | { readonly kind: 'text'; readonly format: FormatName; readonly parts: readonly (string | Node)[] }
    | { readonly kind: 'format'; readonly format: FormatName }
    | { readonly kind: 'index'; readonly target: Node; readonly key: Node }
    | { readonly kind: 'slice'; readonly target: Node; readonly from: Node | undefined; readonly to: Node | undefined }
    | { readonly kind: 'iterate'; readonly target: Node }
    | { readonly kind: 'comma'; readonly items: readonly Node[] }
    | { readonly kind: 'pipe'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
    | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'alternative'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'update'; readonly operator: UpdateOperator; readonly target: Node; readonly value: Node }
    | { readonly kind: 'negate'; readonly operand: Node }
    | { readonly kind: 'if'; readonly condition: Node; readonly whenTrue: Node; readonly whenFalse: Node | undefined }
    | { readonly kind: 'try'; readonly body: Node; readonly handler: Node | undefined }
    | { readonly kind: 'reduce'; readonly source: Node; readonly patterns: readonly Pattern[]; readonly initial: Node; readonly update: Node }
    | {
        readonly kind: 'foreach';
        readonly source: Node;
        readonly patterns: readonly Pattern[];
        readonly initial: Node;
        readonly update: Node;
        readonly extract: Node | undefined;
      }
    | { readonly kind: 'bind'; readonly source: Node; readonly patterns: readonly Pattern[]; readonly body: Node }
    | { readonly kind: 'define'; readonly definition: Definition; readonly body: Node }
    | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[] }
    | { readonly kind: 'variable'; readonly name: string }
    | { readonly kind: 'label'; readonly name: string; readonly body: Node }
    | { readonly kind: 'break'; readonly name: string }
    | { readonly kind: 'array'; readonly items: Node | undefined }
    | { readonly kind: 'object'; readonly fields: readonly ObjectField[] }
  );

const heights = new WeakMap<object, number>();

/** Levels of the tree from this node down; 1 for a leaf. */
export function heightOf(node: Node): number {
  return 1 + tallestIn(node);
}

/** The height of the tallest node inside a part of the tree: a node's own fields, a list, a pattern, a definition. */
function tallestIn(part: object): number {
  const known = heights.get(part);
  if (known !== undefined) return known;
  let tallest = 0;
  for (const inner of Object.values(part)) {
    if (typeof inner !== 'object' || inner === null) continue;
    tallest = Math.max(tallest, ('at' in inner ? 1 : 0) + tallestIn(inner as object));
  }
  heights.set(part, tallest);
  return tallest;
}
