// Schemas that stand for themselves: what they refer to comes along in `$defs`, once each, circles included.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { valueAt, type Documents } from './reference.js';

/** Parts of schemas, objects and lists counted, that one tool may consist of. */
export const SCHEMA_PARTS_MAX = 20_000;

// Notes for people and serialisers of other formats; they say nothing about a JSON value.
const NOTES = new Set(['xml', 'externalDocs', 'example', 'examples', 'discriminator', 'deprecated', '$id', '$anchor', '$schema']);

/** Collects the definitions that the schemas of one tool need. */
export class SchemaClosure {
  readonly #documents: Documents;
  readonly #names = new Map<string, string>();
  readonly #definitions: Record<string, Json> = {};
  readonly #problems: string[] = [];
  #parts = 0;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** What is wrong with the schemas: references that lead nowhere, too much of them. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** `$defs` for the schemas that were taken in; absent when there are none. */
  get definitions(): { readonly $defs?: JsonObject } {
    return this.#names.size === 0 ? {} : { $defs: this.#definitions };
  }

  /** The schema with its references pointing into `$defs`. */
  take(schema: Json): Json {
    if (typeof schema === 'boolean') return schema;
    return this.#copied(schema, true);
  }

  // `isSchema`: its fields are keywords. The values of `properties` and its like are named by the author: no name is a note there.
  #copied(value: Json, isSchema: boolean): Json {
    if (typeof value !== 'object' || value === null) return value;
    if (++this.#parts > SCHEMA_PARTS_MAX) {
      if (this.#parts === SCHEMA_PARTS_MAX + 1) this.#problems.push(`its schemas have more than ${SCHEMA_PARTS_MAX} parts`);
      return true;
    }
    if (!isJsonObject(value)) return (value as readonly Json[]).map((item) => this.#copied(item, isSchema));
    const copy: Record<string, Json> = {};
    for (const [name, part] of Object.entries(value)) {
      if (isSchema && NOTES.has(name)) continue;
      if (isSchema && name === '$ref' && typeof part === 'string') copy['$ref'] = `#/$defs/${this.#named(part)}`;
      else if (isSchema && VALUES.has(name)) copy[name] = part;
      else own(copy, name, this.#copied(part, !(isSchema && MAPS.has(name))));
    }
    return copy;
  }

  #named(reference: string): string {
    const known = this.#names.get(reference);
    if (known !== undefined) return known;
    const last = (/\/([^/]+)$/.exec(reference)?.[1] ?? 'schema').replace(/[^A-Za-z0-9_.-]/g, '_');
    const name = Object.hasOwn(this.#definitions, last) || last.startsWith('__') ? `${last}-${this.#names.size}` : last;
    this.#names.set(reference, name);
    this.#definitions[name] = true;
    const target = valueAt(this.#documents, reference);
    if (target === undefined) this.#problems.push(`its schema refers to ${reference.slice(0, 200)}, which is not there`);
    else this.#definitions[name] = this.#copied(target, true);
    return name;
  }
}

// Keywords whose value maps names to schemas, and those whose value is data.
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
const VALUES = new Set(['const', 'enum', 'default', 'required', 'type', 'dependentRequired']);

function own(target: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}
