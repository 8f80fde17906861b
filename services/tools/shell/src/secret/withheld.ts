// Values that must not be told again: wherever one comes back, its name stands instead.
import { isJsonObject, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { spellingsOf } from './spellings.js';

// A shorter text would be found in words that have nothing to do with it.
const CHARACTERS_MIN = 6;
/** Of a value that was cut: as many characters of its beginning or its end are enough to know it by. */
const CUT_CHARACTERS_MIN = 8;

export class Withheld {
  readonly #names = new Map<string, string>();

  /** Withholds every text in a value from now on. @param name what stands in its place, unless another name does already. */
  add(name: string, value: Json): void {
    if (typeof value === 'number') return this.add(name, String(value));
    if (typeof value === 'object' && value !== null) return Object.values(value).forEach((part) => this.add(name, part as Json));
    if (typeof value !== 'string' || value.length < CHARACTERS_MIN) return;
    for (const form of spellingsOf(value)) if (!this.#names.has(form)) this.#names.set(form, name);
  }

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /** The text with names where values were; the longest value goes first. */
  text(text: string): string {
    if (this.isEmpty) return text;
    const found = [...this.#names].filter(([value]) => text.includes(value)).toSorted(([a], [b]) => b.length - a.length);
    return found.reduce((clean, [value, name]) => clean.replaceAll(value, `[${name}]`), text);
  }

  /** The value with names where values were, in fields as in texts. */
  json<V extends Json>(value: V): V {
    return this.isEmpty ? value : (this.#cleaned(value, (text) => this.text(text)) as V);
  }

  /** A failure tells of others' words an excerpt only: of a value that was cut the rest is taken out, too. */
  failure(failure: Failure): Failure {
    if (this.isEmpty) return failure;
    const { message, details } = failure;
    const clean = (text: string): string => this.#excerpt(text);
    return { ...failure, message: clean(message), ...(details ? { details: this.#cleaned(details as JsonObject, clean) as JsonObject } : {}) };
  }

  /** The error itself, its words cleaned: it goes to the log. */
  error(error: unknown): unknown {
    if (this.isEmpty || !(error instanceof Error)) return error;
    error.message = this.#excerpt(error.message);
    if (error.stack !== undefined) error.stack = this.#excerpt(error.stack);
    return error;
  }

  #excerpt(text: string): string {
    return [...this.#names].reduce((clean, [value, name]) => withoutEnds(clean, value, `[${name}]`), this.text(text));
  }

  #cleaned(value: Json, clean: (text: string) => string): Json {
    if (typeof value === 'string') return clean(value);
    if (typeof value === 'number') return this.#names.has(String(value)) ? clean(String(value)) : value;
    if (Array.isArray(value)) return (value as readonly Json[]).map((item) => this.#cleaned(item, clean));
    return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [clean(name), this.#cleaned(part, clean)])) : value;
  }
}

/** The text with another one where a value begins, or ends, of which the rest was cut away. */
function withoutEnds(text: string, value: string, instead: string): string {
  // Where a URL leads is no secret, and whoever reads the failure wants to know.
  const known = URL.canParse(value) ? new URL(value).origin.length : 0;
  const least = Math.max(CUT_CHARACTERS_MIN, known + 1);
  if (value.length <= least) return text;
  const [head, tail] = [value.slice(0, least), value.slice(-CUT_CHARACTERS_MIN)];
  let clean = text;
  for (let at = clean.indexOf(head); at >= 0; at = clean.indexOf(head, at + instead.length)) {
    let length = least;
    while (length < value.length && clean[at + length] === value[length]) length++;
    clean = clean.slice(0, at) + instead + clean.slice(at + length);
  }
  for (let at = clean.indexOf(tail); at >= 0; at = clean.indexOf(tail, at + 1)) {
    let length = CUT_CHARACTERS_MIN;
    while (at > 0 && length < value.length && clean[at - 1] === value[value.length - length - 1]) [at, length] = [at - 1, length + 1];
    clean = clean.slice(0, at) + instead + clean.slice(at + length);
  }
  return clean;
}
