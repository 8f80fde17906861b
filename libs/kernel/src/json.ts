/** A JSON value as it is stored and carried: no `undefined`, no functions, finite numbers. Source: RFC 8259. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** Whether a JSON value is an object (not null, not an array). */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON value that is an object; anything else is one without fields. */
export const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
