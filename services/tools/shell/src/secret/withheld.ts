// Values that must not be told again: wherever one comes back, its name stands instead.
import { isJsonObject, type Failure, type Json, type JsonObject } from '@weft/kernel';

// A shorter text would be found in words that have nothing to do with it.
const CHARACTERS_MIN = 6;

export class Withheld {
  readonly #names = new Map<string, string>();

  /** Withholds every text in a value from now on. @param name what stands in its place, unless another name does already. */
  add(name: string, value: Json): void {
    if (typeof value === 'number') return this.add(name, String(value));
    if (typeof value === 'object' && value !== null) return Object.values(value).forEach((part) => this.add(name, part as Json));
    if (typeof value !== 'string' || value.length < CHARACTERS_MIN) return;
    for (const form of new Set([value, encodeURIComponent(value.toWellFormed()), Buffer.from(value).toString('base64')])) if (!this.#names.has(form)) this.#names.set(form, name);
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
    return this.isEmpty ? value : (this.#cleaned(value) as V);
  }

  failure(failure: Failure): Failure {
    if (this.isEmpty) return failure;
    const { message, details } = failure;
    return { ...failure, message: this.text(message), ...(details ? { details: this.#cleaned(details as JsonObject) as JsonObject } : {}) };
  }

  #cleaned(value: Json): Json {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return (value as readonly Json[]).map((item) => this.#cleaned(item));
    return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [this.text(name), this.#cleaned(part)])) : value;
  }
}
