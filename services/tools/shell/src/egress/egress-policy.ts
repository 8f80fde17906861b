// Where requests may go: decided on the URL first, and on the address when the connection is made.
import { isIP } from 'node:net';
import { rejection, type Rejection } from '@weft/kernel';
import { addressKind } from './address.js';

/** Who wants to send: a tool to the origins that it declares, a `call: http` to what the operator lists, a model call to a candidate's endpoint. */
export interface Sender {
  /** Named in refusals. */
  readonly name: string;
  /** Origins (`scheme://host[:port]`) that the sender may reach besides the operator's list. */
  readonly origins: readonly string[];
  /** Whether any public https address will do. */
  readonly mayGoAnywherePublic: boolean;
}

/** What the policy allows of a URL. */
export type Passage = { readonly ok: true; readonly url: URL; readonly isListed: boolean } | { readonly ok: false; readonly denial: Rejection };

/** Origin of a URL with its port always written out: `https://example.com:443`. */
export function exactOrigin(url: URL): string {
  return `${url.protocol}//${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

export class EgressPolicy {
  readonly #listed: ReadonlySet<string>;

  /** @param allow the operator's list: `scheme://host:port`, exact. */
  constructor(allow: readonly string[]) {
    this.#listed = new Set(allow.map((origin) => exactOrigin(new URL(origin))));
  }

  /** Judges a URL before anything is resolved. Denial codes: `denied`, `input-invalid`. */
  passage(text: string, sender: Sender): Passage {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      return { ok: false, denial: rejection('input-invalid', `Expected an http or https URL but got ${JSON.stringify(text.slice(0, 200))}.`) };
    }
    if (url.username !== '' || url.password !== '') {
      return { ok: false, denial: rejection('input-invalid', 'Expected a URL without a user name and password but it has them: name a secret in a header instead.') };
    }
    const origin = exactOrigin(url);
    const isListed = this.#listed.has(origin) || sender.origins.some((allowed) => exactOrigin(new URL(allowed)) === origin);
    if (!isListed && !(sender.mayGoAnywherePublic && url.protocol === 'https:')) return { ok: false, denial: denied(origin, sender) };
    // A literal address is never looked up, so it is judged here.
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    const denial = isIP(literal) === 0 ? undefined : this.addressDenial(literal, isListed, origin);
    return denial ? { ok: false, denial } : { ok: true, url, isListed };
  }

  /** Judges the address that a connection would go to. @returns undefined when it may. */
  addressDenial(address: string, isListed: boolean, origin: string): Rejection | undefined {
    const kind = addressKind(address);
    if (kind === 'public' || (kind === 'private' && isListed)) return undefined;
    const message =
      kind === 'forbidden'
        ? `Expected an address that may be connected to but ${origin} is ${address}: link-local and metadata addresses are never reached.`
        : `Expected a public address but ${origin} is ${address}: to allow a private one, list exactly this origin in WEFT_EGRESS_ALLOW.`;
    return rejection('denied', message, { details: { origin } });
  }
}

function denied(origin: string, sender: Sender): Rejection {
  return rejection(
    'denied',
    `Expected ${sender.name} to send only where it may, but ${origin} is neither declared by a tool for it nor listed in WEFT_EGRESS_ALLOW. To allow it, list ${origin} there.`,
    { details: { origin } },
  );
}
