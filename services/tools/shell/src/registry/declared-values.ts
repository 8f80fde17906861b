// Values that every kind of declaration uses.
import { z } from 'zod';
import type { Json, JsonObject } from '@weft/kernel';

export const json = z.custom<Json>((value) => value !== undefined, 'expected a JSON value');
export const jsonObject = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'expected an object');
export const secretName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'expected the name of a secret: letters, digits and _');
/** Headers by name: a text, or a secret by name with what stands before it. */
export const headerValues = z.record(z.string(), z.union([z.string(), z.strictObject({ secret: secretName, prefix: z.string().optional() })])).default({});
