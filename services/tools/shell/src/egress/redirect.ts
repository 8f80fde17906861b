// Where an answer says to go on, and what may come along.

/** Redirects that are followed for one request at most. Source: ADR 27. */
export const REDIRECTS_MAX = 5;

export interface Hop {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string | Uint8Array;
}

// What says nothing about who asks. Every other header may be a credential, whatever its name.
const HARMLESS = new Set(['accept', 'accept-language', 'user-agent']);

/**
 * The request that follows an answer, or undefined when the answer is to be taken as it is.
 * Reads go wherever it says; a write only with 307 or 308, which say that nothing was done, and only within its origin.
 */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  const isRead = hop.method === 'GET' || hop.method === 'HEAD';
  if (location === undefined || !(isRead ? [301, 302, 303, 307, 308] : [307, 308]).includes(status)) return undefined;
  if (!URL.canParse(location, hop.url)) return undefined;
  const target = new URL(location, hop.url);
  const isSameOrigin = target.origin === new URL(hop.url).origin;
  if (!isRead && !isSameOrigin) return undefined;
  const headers = isSameOrigin ? hop.headers : Object.fromEntries(Object.entries(hop.headers).filter(([name]) => HARMLESS.has(name.toLowerCase())));
  return { method: hop.method, url: target.href, headers, ...(hop.body === undefined ? {} : { body: hop.body }) };
}
