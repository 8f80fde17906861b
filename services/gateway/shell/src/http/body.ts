// Bodies, checked: bytes, text, or JSON objects with known fields.
import { refuse, type Json, type JsonObject } from '@weft/kernel';
import { forbidden } from '@weft/contracts';
import type { KnownRequest } from './key.guard.js';

/** The body's bytes as they came. */
export function bodyBytes(request: KnownRequest): Buffer {
  if (request.rawBody !== undefined) return request.rawBody;
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** The body as text. @throws Refused `request-invalid` when it is empty or not UTF-8. */
export function bodyText(request: KnownRequest, what: string): string {
  const bytes = bodyBytes(request);
  if (bytes.length === 0) refuse('request-invalid', `Expected ${what} as the body but the body is empty.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('request-invalid', `Expected ${what} in UTF-8 but the body is not UTF-8.`);
  }
}

/** The body as a JSON object. @throws Refused `request-invalid`. */
export function bodyObject(request: KnownRequest, what: string): JsonObject {
  const text = bodyText(request, what);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (fault) {
    return refuse('request-invalid', `Expected ${what} as a JSON object but the body is not JSON: ${fault instanceof Error ? fault.message : String(fault)}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse('request-invalid', `Expected ${what} as a JSON object but the body is ${Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'null' : `a ${typeof value}`}.`);
  return value as JsonObject;
}

/** Refuses data that the store would refuse, or that is nested without bound, by its place. */
export function checkStorable(data: Json, what: string): void {
  const where = forbidden(data, '', 0);
  if (where !== undefined) refuse('request-invalid', `Expected ${what} that can be stored but ${where}.`);
}

/** Refuses fields that mean nothing, so that a typing mistake is not taken for a wish. */
export function onlyFields(body: JsonObject, known: readonly string[], what: string): void {
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    refuse(
      'request-invalid',
      `Expected ${what} to have no fields but ${known.join(', ')}, but it has ${unknown
        .slice(0, 10)
        .map((name) => JSON.stringify(name.slice(0, 60)))
        .join(', ')}.`,
    );
}

/** A field as text. @throws Refused `request-invalid` when it is something else, or missing without a default. */
export function textField(body: JsonObject, name: string, byDefault?: string): string {
  const value = Object.hasOwn(body, name) ? body[name] : byDefault;
  if (typeof value !== 'string' || (value === '' && byDefault === undefined))
    refuse('request-invalid', `Expected field \`${name}\` to be text but ${value === undefined ? 'it is missing' : value === '' ? 'it is empty' : `got ${typeof value}`}.`);
  return value;
}
