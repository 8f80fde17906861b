// Collects what is wrong with a document, so that its author sees all of it at once.
import type { Json, JsonObject } from '@weft/kernel';

/** A place in a document: reads a field, or notes what was expected there. */
export class Place {
  constructor(
    readonly path: string,
    readonly value: Json | undefined,
    private readonly faults: string[],
  ) {}

  /** Notes that the value is not what was expected. */
  expected(what: string): void {
    this.faults.push(`${this.path === '' ? 'the table' : this.path}: expected ${what} but ${this.value === undefined ? 'it is missing' : `got ${shown(this.value)}`}`);
  }

  /** The value as an object with no other fields than those named, or undefined with the fault noted. */
  object(allowed: readonly string[] | 'any', what = 'an object'): JsonObject | undefined {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.expected(what);
      return undefined;
    }
    if (allowed !== 'any') {
      for (const name of Object.keys(value)) {
        if (!allowed.includes(name)) this.faults.push(`${this.field(name).path}: expected one of the fields ${allowed.join(', ')} but got ${JSON.stringify(name)}`);
      }
    }
    return value as JsonObject;
  }

  /** The place of a field; its value is undefined where there is none. */
  field(name: string): Place {
    const { value } = this;
    const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
    return new Place(this.path === '' ? name : `${this.path}.${name}`, Object.hasOwn(fields, name) ? fields[name] : undefined, this.faults);
  }

  /** The places of a list's items; none, with the fault noted, when it is no list. */
  items(what: string): Place[] {
    if (!Array.isArray(this.value)) {
      this.expected(what);
      return [];
    }
    return (this.value as readonly Json[]).map((item, index) => new Place(`${this.path}[${index}]`, item, this.faults));
  }

  /** The value as text that the pattern accepts. */
  text(pattern: RegExp, what: string): string {
    if (typeof this.value === 'string' && pattern.test(this.value)) return this.value;
    this.expected(what);
    return '';
  }

  /** Like `text`, but a missing value is fine. */
  optionalText(pattern: RegExp, what: string): string | undefined {
    return this.value === undefined ? undefined : this.text(pattern, what);
  }

  /** The value as one of some words. */
  word<W extends string>(words: readonly W[]): W | undefined {
    const found = words.find((word) => word === this.value);
    if (found === undefined) this.expected(words.map((word) => JSON.stringify(word)).join(' or '));
    return found;
  }
}

function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
