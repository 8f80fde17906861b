// The context and a refusal in gRPC metadata.
import { Metadata } from '@grpc/grpc-js';
import { contextFromAttributes, contextToAttributes, type Context } from '@weft/contracts';
import type { Rejection } from '@weft/kernel';

/** Trailing metadata that carries a rejection as JSON. */
export const REJECTION_TRAILER = 'weft-rejection-bin';

// Peers refuse headers above 16 KiB by default; base64 adds a third.
const REJECTION_BYTES_MAX = 6 * 1024;
const MESSAGE_CHARACTERS_MAX = 1_500;

export function contextToMetadata(context: Context): Metadata {
  const metadata = new Metadata();
  for (const [name, text] of Object.entries(contextToAttributes(context))) metadata.set(name, text);
  return metadata;
}

export function contextFromMetadata(metadata: Metadata): Context {
  return contextFromAttributes((name) => {
    const [value] = metadata.get(name);
    return typeof value === 'string' ? value : undefined;
  });
}

/** The rejection as a trailer. One that does not fit goes without its details and with a shorter message. */
export function rejectionToMetadata(rejection: Rejection): Metadata {
  const metadata = new Metadata();
  let bytes = Buffer.from(JSON.stringify(rejection));
  if (bytes.length > REJECTION_BYTES_MAX) {
    const { details: _details, ...rest } = rejection;
    bytes = Buffer.from(JSON.stringify({ ...rest, message: rest.message.slice(0, MESSAGE_CHARACTERS_MAX) }));
  }
  metadata.set(REJECTION_TRAILER, bytes);
  return metadata;
}

/** The rejection in a trailer, or undefined when there is none that can be read. */
export function rejectionFromMetadata(metadata: Metadata | undefined): Rejection | undefined {
  const [bytes] = metadata?.get(REJECTION_TRAILER) ?? [];
  if (!(bytes instanceof Buffer)) return undefined;
  try {
    const parsed = JSON.parse(bytes.toString('utf8')) as Partial<Rejection> | null;
    return typeof parsed?.code === 'string' && typeof parsed.message === 'string' ? { ...parsed, code: parsed.code, message: parsed.message, retryable: parsed.retryable === true } : undefined;
  } catch {
    return undefined;
  }
}
