// What a `call` names.
import type { Json, JsonObject } from '@weft/kernel';
import { isJsonObject } from '@weft/kernel';
import { functionNameOf, isFunctionName, type FunctionName } from './functions.js';
import { PROTOCOL_CALLS } from './schema/calls.schema.js';

export type CallTarget =
  | { readonly kind: 'protocol'; readonly name: string }
  /** A function of the default catalogue. */
  | { readonly kind: 'default'; readonly name: FunctionName }
  /** A function of `use.functions`. */
  | { readonly kind: 'local'; readonly name: string }
  /** `name:version@catalog`, of a catalogue of `use.catalogs`. */
  | { readonly kind: 'catalogued'; readonly name: string; readonly version: string; readonly catalog: string }
  | { readonly kind: 'uri'; readonly uri: string };

const CATALOGUED = /^([^:@\s]+):([^:@\s]+)@([^:@\s]+)$/;
const ABSOLUTE = /^https?:\/\/\S+$/;

/**
 * What a call names, or undefined when it names nothing. The document's own functions come before those of the default catalogue, and its
 * catalogues before that one: a document means the same wherever it runs.
 * @param use the `use` of the document.
 */
export function callTargetOf(call: string, use: JsonObject): CallTarget | undefined {
  if (PROTOCOL_CALLS.includes(call)) return { kind: 'protocol', name: call };
  if (declares(use['functions'], call)) return { kind: 'local', name: call };
  const [, name, version, catalog] = CATALOGUED.exec(call) ?? [];
  if (name !== undefined && version !== undefined && declares(use['catalogs'], catalog!)) return { kind: 'catalogued', name, version, catalog: catalog! };
  const known = functionNameOf(call);
  if (isFunctionName(known)) return { kind: 'default', name: known };
  return ABSOLUTE.test(call) ? { kind: 'uri', uri: call } : undefined;
}

const declares = (section: Json | undefined, name: string): boolean => isJsonObject(section) && Object.hasOwn(section, name);
