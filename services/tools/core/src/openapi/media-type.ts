// Media types of bodies, and forms as texts.
import type { Json, JsonObject } from '@weft/kernel';
import { encodeUnreserved } from '@weft/workflow';

/** Media type of forms. */
export const FORM = 'application/x-www-form-urlencoded';

/** The type without its parameters, in lower case. */
export const bareType = (type: string): string => (type.split(';', 1)[0] ?? '').trim().toLowerCase();

/** Whether a media type is JSON, or a range that JSON fits. */
export const isJsonType = (type: string): boolean => /^(application\/([\w.+-]*\+)?json|application\/\*|\*\/\*)$/.test(bareType(type));

/** An object as a form: lists repeated, objects as JSON, nothing for null. Source: OpenAPI 3.1.1, section 4.8.15. */
export function formText(fields: JsonObject): string {
  return Object.entries(fields)
    .flatMap(([name, part]) => {
      const items: readonly Json[] = Array.isArray(part) ? (part as readonly Json[]) : [part];
      return items.filter((item) => item !== null).map((item) => `${encodeUnreserved(name)}=${encodeUnreserved(typeof item === 'object' ? JSON.stringify(item) : String(item))}`);
    })
    .join('&');
}
