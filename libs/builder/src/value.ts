// What authors write: JSON in which any value may be an expression.
import type { Expression } from './expression.js';

/** JSON with expressions in it. A text that is wholly `${ ... }` is an expression too, as in a document. */
export type Value = string | number | boolean | null | Expression | readonly Value[] | { readonly [key: string]: Value | undefined };

/** An object of them. */
export type Values = { readonly [key: string]: Value | undefined };

/** A text, or an expression that gives one. */
export type Text = string | Expression;

/** jq where the standard wants an expression by itself (`if`, `when`, `in`, `while`, `until`): a text is taken as jq. */
export type Condition = string | Expression;

/** What `from` and `as` take: an expression, or an object with expressions in it. A text is taken as jq. */
export type Shaping = string | Expression | Values;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The type that a written value has once its expressions are evaluated. */
export type Evaluated<V> =
  IsAny<V> extends true
    ? V
    : V extends Expression<infer T>
      ? T
      : V extends string
        ? string
        : V extends number
          ? number
          : V extends boolean
            ? boolean
            : V extends null | undefined
              ? V
              : { -readonly [K in keyof V]: Evaluated<V[K]> };

/** The type of what `from` and `as` give; of jq as text nothing is known. */
export type Shaped<S> = S extends string ? unknown : Evaluated<S>;
