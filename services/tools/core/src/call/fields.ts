// Fields of a job's arguments, read one by one: the first that is not what it should be is the failure.
import { isJsonObject, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { headerProblem } from '../registry/http-request.js';

/** What the arguments of a job say, or what is wrong with them. Failure code: `input-invalid`, or that of what cannot be done here. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** A document kept at publish, or to be fetched when it is needed. */
export interface ResourceReference {
  readonly uri: string;
  /** SHA-256 in hex of what was locked at publish; undefined: it is fetched now. */
  readonly digest?: string;
}

class FieldInvalid extends Error {}

/** Reads by a function that takes fields. @param what the arguments are of, for the sentence: `an MCP call`. */
export function reading<T>(what: string, args: Json, read: (fields: Fields) => T): Reading<T> {
  try {
    if (!isJsonObject(args)) throw new FieldInvalid('they are no object');
    return { ok: true, value: read(new Fields(args)) };
  } catch (error) {
    if (!(error instanceof FieldInvalid)) throw error;
    return { ok: false, failure: rejection('input-invalid', `Expected the arguments of ${what} but ${error.message}.`) };
  }
}

/** The fields of one object. Every method throws what `reading` makes a failure of. */
export class Fields {
  constructor(
    private readonly object: JsonObject,
    private readonly place = '',
  ) {}

  /** The value as it stands; undefined: there is none. */
  get(name: string): Json | undefined {
    return this.object[name] ?? undefined;
  }

  text(name: string): string {
    const value = this.get(name);
    return typeof value === 'string' && value !== '' ? value : this.fail(name, 'a text', value);
  }

  textOr<T>(name: string, otherwise: T): string | T {
    return this.get(name) === undefined ? otherwise : this.text(name);
  }

  /** A whole number; undefined: there is none. */
  integer(name: string, least: number, most: number): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? Number(value) : this.fail(name, `an integer from ${least} to ${most}`, value);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.get(name) ?? otherwise;
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false', value);
  }

  oneOf<T extends string>(name: string, values: readonly T[], otherwise?: T): T {
    const value = this.get(name) ?? otherwise;
    return (values as readonly Json[]).includes(value ?? null) ? (value as T) : this.fail(name, `one of ${values.join(', ')}`, value);
  }

  /** The fields of an object; those of an empty one where there is none. */
  fields(name: string): Fields {
    return this.fieldsOr(name) ?? new Fields({}, `${this.place}${name}.`);
  }

  fieldsOr(name: string): Fields | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return isJsonObject(value) ? new Fields(value, `${this.place}${name}.`) : this.fail(name, 'an object', value);
  }

  record(name: string): JsonObject {
    const value = this.get(name) ?? {};
    return isJsonObject(value) ? value : this.fail(name, 'an object', value);
  }

  /** An object of texts, numbers and booleans, as texts. */
  texts(name: string): { readonly [name: string]: string } {
    return Object.fromEntries(Object.entries(this.record(name)).map(([key, value]) => [key, isScalar(value) ? String(value) : this.fail(`${name}.${key}`, 'a text', value)]));
  }

  /** Headers of HTTP. Those that Weft sets itself, and what no header can hold, are refused. */
  headers(name: string): { readonly [name: string]: string } {
    const headers = this.texts(name);
    const problem = Object.entries(headers).flatMap(([header, value]) => headerProblem(header, value) ?? [])[0];
    if (problem !== undefined) throw new FieldInvalid(problem);
    return headers;
  }

  /** A list of texts, numbers and booleans, as texts. */
  list(name: string): readonly string[] {
    const value = this.get(name) ?? [];
    return Array.isArray(value) && value.every(isScalar) ? value.map(String) : this.fail(name, 'a list of texts', value);
  }

  /** What is in an endpoint: a text, or an object with its `uri`. */
  endpoint(name: string): { readonly uri: string; readonly authentication?: Json } {
    const value = this.get(name);
    const uri = isJsonObject(value) ? value['uri'] : value;
    const authentication = isJsonObject(value) ? value['authentication'] : undefined;
    return typeof uri === 'string' && URL.canParse(uri) ? { uri, ...(authentication === undefined ? {} : { authentication }) } : this.fail(name, 'a URL', uri);
  }

  /** A document: as publish locked it in `resource`, else where the external resource of this name lies. */
  resource(name: string): ResourceReference {
    const locked = this.fieldsOr('resource');
    if (locked) return { uri: locked.text('uri'), digest: locked.text('digest') };
    return { uri: this.fields(name).endpoint('endpoint').uri };
  }

  /** @throws what `reading` makes a failure of. */
  fail(name: string, expected: string, value?: Json): never {
    throw new FieldInvalid(`${this.place}${name} is ${value === undefined ? 'missing' : JSON.stringify(value).slice(0, 80)}, not ${expected}`);
  }
}

const isScalar = (value: Json): value is string | number | boolean => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
