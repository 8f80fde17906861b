// Where requests may go: decided on the URL first, and on the address when the connection is made.
import { isIP, isIPv6, type BlockList } from 'node:net';
import { rejection, type Rejection } from '@weft/kernel';
import { addressKind, blockList, nat64Prefix, type Nat64Prefix } from './address.js';

/** Who wants to send: a tool to the origins that it declares, a `call: http` to what the operator lists, a model call to a candidate's endpoint. */
export interface Sender {
  /** Named in refusals. */
  readonly name: string;
  /** Origins (`scheme://host[:port]`) that the sender may reach besides the operator's list. */
  readonly origins: readonly string[];
  /** Whether any public https address will do. */
  readonly mayGoAnywherePublic: boolean;
}

/** What the policy allows of a URL. `isListed`: by name in a list, not as just any public place. */
export type Passage = { readonly ok: true; readonly url: URL; readonly isListed: boolean } | { readonly ok: false; readonly denial: Rejection };

/** The make-up of the network that requests go out of. */
export interface EgressNetwork {
  /** Networks (CIDR) in which listed names may lie although they are private. Default: none. */
  readonly privateNetworks?: readonly string[];
  /** NAT64 prefixes of the network besides the well-known one. Default: none. */
  readonly nat64?: readonly string[];
}

/** Origin of a URL with its port always written out: `https://example.com:443`. */
export function exactOrigin(url: URL): string {
  return `${url.protocol}//${url.hostname}:${portOf(url)}`;
}

const LOOPBACK = blockList(['127.0.0.0/8', '::1/128']);
// Ports of other protocols, which a request could be made to speak. Source: Fetch Standard, "bad port".
const OTHER_PROTOCOLS = new Set([1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080]);

export class EgressPolicy {
  readonly #listed: ReadonlySet<string>;
  readonly #networks: BlockList;
  readonly #nat64: readonly Nat64Prefix[];

  /** @param allow the operator's list: `scheme://host:port`, exact. */
  constructor(allow: readonly string[], { privateNetworks = [], nat64 = [] }: EgressNetwork = {}) {
    this.#listed = new Set(allow.map((origin) => exactOrigin(new URL(origin))));
    this.#networks = blockList(privateNetworks);
    this.#nat64 = nat64.flatMap((prefix) => nat64Prefix(prefix) ?? []);
  }

  /**
   * Judges a URL before anything is resolved. Denial codes: `denied`, `input-invalid`.
   * @param from the place that redirects to it; undefined for the first request.
   */
  passage(text: string, sender: Sender, from?: URL): Passage {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      return { ok: false, denial: rejection('input-invalid', `Expected an http or https URL but got ${JSON.stringify(text.slice(0, 200))}.`) };
    }
    if (url.username !== '' || url.password !== '') {
      return { ok: false, denial: rejection('input-invalid', 'Expected a URL without a user name and password but it has them: name a secret in a header instead.') };
    }
    const origin = exactOrigin(url);
    if (from?.protocol === 'https:' && url.protocol === 'http:') {
      return {
        ok: false,
        denial: rejection('denied', `Expected ${from.origin} to redirect to https but it redirects to ${origin}: what was sent under TLS does not go on without it.`, { details: { origin } }),
      };
    }
    const isListed = this.#listed.has(origin) || sender.origins.some((allowed) => exactOrigin(new URL(allowed)) === origin);
    if (!isListed && !(sender.mayGoAnywherePublic && url.protocol === 'https:' && isWebPort(portOf(url)))) return { ok: false, denial: denied(origin, sender) };
    // A literal address is never looked up, so it is judged here.
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    const denial = isIP(literal) === 0 ? undefined : this.addressDenial(literal, url, isListed);
    return denial ? { ok: false, denial } : { ok: true, url, isListed };
  }

  /** Judges the address that a connection to the URL would go to. @returns undefined when it may. */
  addressDenial(address: string, url: URL, isListed: boolean): Rejection | undefined {
    const kind = addressKind(address, this.#nat64);
    if (kind === 'public' || (kind === 'private' && isListed && this.#mayBePrivate(address, url.hostname))) return undefined;
    const origin = exactOrigin(url);
    const message =
      kind === 'forbidden'
        ? `Expected an address that may be connected to but ${origin} is ${address}: link-local and metadata addresses are never reached.`
        : `Expected a public address but ${origin} is ${address}: to allow a private one, list exactly this address and port in WEFT_EGRESS_ALLOW, or the network of a listed name in WEFT_EGRESS_PRIVATE.`;
    return rejection('denied', message, { details: { origin } });
  }

  /** A listed address as itself; `localhost` on the loopback; any other name, whose owner may not be the operator, only in the networks set aside. */
  #mayBePrivate(address: string, hostname: string): boolean {
    if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return true;
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    return this.#networks.check(address, family) || (/^(?:.+\.)?localhost$/.test(hostname) && LOOPBACK.check(address, family));
  }
}

const portOf = (url: URL): number => Number(url.port) || (url.protocol === 'https:' ? 443 : 80);

const isWebPort = (port: number): boolean => port === 443 || (port >= 1024 && !OTHER_PROTOCOLS.has(port));

function denied(origin: string, sender: Sender): Rejection {
  return rejection(
    'denied',
    `Expected ${sender.name} to send only where it may, but ${origin} is neither declared by a tool for it nor listed in WEFT_EGRESS_ALLOW. To allow it, list ${origin} there.`,
    { details: { origin } },
  );
}
