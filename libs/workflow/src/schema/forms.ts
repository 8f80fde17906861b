// The forms that definitions of the schema are made of. `title` is what a message says was expected.
import type { JsonObject } from '@weft/kernel';

export const ref = (name: string): JsonObject => ({ $ref: `#/$defs/${name}` });

/** A closed object. */
export const fields = (title: string, properties: JsonObject, more: { readonly required?: readonly string[] } & JsonObject = {}): JsonObject => ({
  type: 'object',
  title,
  additionalProperties: false,
  properties,
  ...more,
});

/** For an object that the standard leaves open: what it does not know is taken and has no effect, which lint says. */
export const OPEN: JsonObject = { additionalProperties: true };

export const text = (title: string, more: JsonObject = {}): JsonObject => ({ type: 'string', title, ...more });

export const anyObject = (title: string): JsonObject => ({ type: 'object', title });

export const byName = (title: string, of: JsonObject): JsonObject => ({ type: 'object', title, additionalProperties: of });

export const listOf = (title: string, items: JsonObject): JsonObject => ({ type: 'array', title, items });

/** One of some texts, told as such. */
export const oneOfTexts = (...allowed: readonly string[]): JsonObject => ({ enum: allowed, title: alternatives(allowed) });

/** An object that must have exactly one of these fields, whatever it has besides. */
export const exactlyOne = (...keys: readonly string[]): JsonObject => ({ title: `exactly one of ${keys.map((key) => `\`${key}\``).join(', ')}`, oneOf: keys.map((key) => ({ required: [key] })) });

/** An object that must have at least one of these fields. */
export const atLeastOne = (...keys: readonly string[]): JsonObject => ({ title: alternatives(keys), anyOf: keys.map((key) => ({ required: [key] })) });

/** A definition in place, or the name of one in a section of `use`. */
export const orNameIn = (section: string, what: string, definition: JsonObject): JsonObject => ({
  title: `${what}, or the name of one in \`use.${section}\``,
  if: { type: 'string' },
  then: { minLength: 1, title: `the name of ${what} in \`use.${section}\`` },
  else: definition,
});

function alternatives(allowed: readonly string[]): string {
  const quoted = allowed.map((one) => `\`${one}\``);
  return quoted.length === 1 ? quoted[0]! : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** A text that is wholly one expression, on one line as the standard has it. */
export const WHOLE_EXPRESSION = '\\s*\\$\\{.+\\}\\s*';
export const SCHEME = '[A-Za-z][A-Za-z0-9+.-]*://';

export const trueOrFalse: JsonObject = { type: 'boolean', title: 'true or false' };
export const expression = text('a jq expression', { minLength: 1 });
export const wholeExpression = text('an expression `${ ... }`', { pattern: `^${WHOLE_EXPRESSION}$` });
export const shaping: JsonObject = { type: ['string', 'object'], minLength: 1, title: 'a jq expression, or an object with expressions in it' };
export const variable = text('the name of a variable: letters, digits and underscores', { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' });
export const plainText = text('text');
export const texts = byName('an object of texts', text('text (numbers and booleans in quotes)'));

export const uriOrExpression = (title: string): JsonObject => text(title, { pattern: `^(?:${WHOLE_EXPRESSION}|${SCHEME}\\S+)$` });

export const textsOrExpression: JsonObject = {
  type: ['object', 'string'],
  title: 'an object of texts, or an expression `${ ... }`',
  pattern: `^${WHOLE_EXPRESSION}$`,
  additionalProperties: text('text (numbers and booleans in quotes)'),
};

export const objectOrExpression = (title: string, more: JsonObject = {}): JsonObject => ({ type: ['object', 'string'], title, pattern: `^${WHOLE_EXPRESSION}$`, ...more });

const SEMVER_IDENTIFIERS = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)';

/** Semantic versions, without anchors. Source: semver.org, 2.0.0. */
export const SEMVER = `(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)\\.(?:0|[1-9]\\d*)(?:-${SEMVER_IDENTIFIERS}(?:\\.${SEMVER_IDENTIFIERS})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
