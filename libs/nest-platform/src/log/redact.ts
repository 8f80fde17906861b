import { SECRET_NAME } from '../config/load-config.js';

const DEPTH_MAX = 6;
const ITEMS_MAX = 50;
const CHARACTERS_MAX = 8_192;
const REDACTED = '[redacted]';
// The password in an address such as postgres://user:password@host.
const PASSWORD_IN_ADDRESS = /(:\/\/[^\s/:@]*:)[^\s/@]+@/g;

/**
 * A value as it may stand in a log line: secrets replaced, errors as objects, depth, items and text bounded.
 * Numbers and booleans are kept under any name: a count of tokens is no secret.
 */
export function redact(value: unknown, name = '', depth = 0): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value === undefined) return value;
  if (SECRET_NAME.test(name)) return REDACTED;
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return bounded(value).map((item) => redact(item, '', depth + 1));
  return Object.fromEntries(bounded(Object.entries(value)).map(([key, item]) => [key, redact(item, key, depth + 1)]));
}

/** Text without the passwords of addresses, cut to a bound. */
export function redactText(text: string): string {
  const cut = text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}… (${text.length} characters)` : text;
  return cut.includes('://') ? cut.replace(PASSWORD_IN_ADDRESS, '$1***@') : cut;
}

const bounded = <T>(items: readonly T[]): readonly T[] => items.slice(0, ITEMS_MAX);

function redactError(error: Error, depth: number): unknown {
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    name,
    message: redactText(message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(stack === undefined ? {} : { stack: redactText(stack) }),
    ...(cause === undefined ? {} : { cause: redact(cause, '', depth + 1) }),
  };
}
