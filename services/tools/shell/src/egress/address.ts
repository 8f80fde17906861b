// What kind of place an IP address is. Only what is known to be public may be connected to unasked.
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** forbidden: never connected to, whoever asks (metadata services, link-local, unspecified, multicast); private: only where an operator lists it. */
export type AddressKind = 'public' | 'private' | 'forbidden';

const FORBIDDEN = blockList([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  // Metadata services that are not link-local: Alibaba, Azure, Oracle, Amazon over IPv6.
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '::/128',
  // NAT64 prefixes of a network, wherever in it they begin: who has one lists it. Source: RFC 8215.
  '64:ff9b:1::/48',
  'fe80::/10',
  'ff00::/8',
]);
// Everything that the IANA special-purpose registries do not call global. Source: RFC 6890 and its registries.
const PRIVATE_V4 = blockList([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
]);
const GLOBAL_V6 = blockList(['2000::/3']);
// Inside 2000::/3: protocol assignments with Teredo, documentation, 6to4.
const PRIVATE_V6 = blockList(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

// The prefixes that translate to IPv4 wherever the network has such a translator. Source: RFC 6052, 2.1.
const NAT64_WELL_KNOWN: Nat64Prefix = { words: ['64', 'ff9b', '0', '0', '0', '0', '0', '0'], bits: 96 };

/** An operator's own NAT64 prefix, for `addressKind`. Lengths: 32, 40, 48, 56, 64 and 96 bits. Source: RFC 6052, 2.2. */
export interface Nat64Prefix {
  readonly words: readonly string[];
  readonly bits: number;
}

/** Reads `2001:db8:64::/96`; undefined when it is no such prefix. */
export function nat64Prefix(text: string): Nat64Prefix | undefined {
  const [network = '', length = ''] = text.split('/');
  const bits = Number(length);
  return isIPv6(network) && [32, 40, 48, 56, 64, 96].includes(bits) ? { words: expandV6(network), bits } : undefined;
}

/**
 * The kind of an IP address in text form. An IPv4 address that an IPv6 one stands for (mapped, compatible, NAT64) is judged as itself.
 * Tunnels (6to4, Teredo, ISATAP) are never public, and forbidden where what they lead to is.
 */
export function addressKind(address: string, nat64: readonly Nat64Prefix[] = []): AddressKind {
  const bare = address.split('%', 1)[0] ?? '';
  if (isIPv4(bare)) {
    if (FORBIDDEN.check(bare, 'ipv4')) return 'forbidden';
    return PRIVATE_V4.check(bare, 'ipv4') ? 'private' : 'public';
  }
  if (!isIPv6(bare)) return 'forbidden';
  const words = expandV6(bare);
  const standsFor = embeddedV4(words, nat64);
  if (standsFor !== undefined) return addressKind(standsFor);
  if (FORBIDDEN.check(bare, 'ipv6') || tunnelledV4(words).some((inner) => addressKind(inner) === 'forbidden')) return 'forbidden';
  return GLOBAL_V6.check(bare, 'ipv6') && !PRIVATE_V6.check(bare, 'ipv6') && !isIsatap(words) ? 'public' : 'private';
}

/** The IPv4 address in ::ffff:0:0/96, ::ffff:0:0:0/96, ::/96 (deprecated, but not ::1) and the NAT64 prefixes. */
function embeddedV4(words: readonly string[], nat64: readonly Nat64Prefix[]): string | undefined {
  const head = words.slice(0, 6).join(':');
  if (head === '0:0:0:0:0:ffff' || head === '0:0:0:0:ffff:0' || (head === '0:0:0:0:0:0' && words[6] !== '0')) return v4At(words, 96);
  const prefix = [NAT64_WELL_KNOWN, ...nat64].find((known) => startsWith(words, known));
  return prefix && v4At(words, prefix.bits);
}

/** What an address leads to through a tunnel or a translator of unknown make-up. */
function tunnelledV4(words: readonly string[]): readonly string[] {
  if (words[0] === '2002') return [v4At(words, 16)];
  // Teredo: the server's address, and the client's with every bit turned.
  if (words[0] === '2001' && words[1] === '0')
    return [
      v4At(words, 32, false),
      v4At(
        words.map((word) => (parseInt(word, 16) ^ 0xffff).toString(16)),
        96,
      ),
    ];
  return isIsatap(words) ? [v4At(words, 96)] : [];
}

const isIsatap = (words: readonly string[]): boolean => (words[4] === '0' || words[4] === '200') && words[5] === '5efe';

/** Four bytes after the first `bits`; between 32 and 64 they step over bits 64 to 71, which NAT64 leaves out. */
function v4At(words: readonly string[], bits: number, stepsOver = bits >= 32 && bits <= 64): string {
  const bytes = words.flatMap((word) => [parseInt(word, 16) >> 8, parseInt(word, 16) & 255]);
  const parts = stepsOver ? bytes.toSpliced(8, 1) : bytes;
  const start = bits === 96 ? parts.length - 4 : bits / 8;
  return parts.slice(start, start + 4).join('.');
}

function startsWith(words: readonly string[], prefix: Nat64Prefix): boolean {
  const bytes = (list: readonly string[]): readonly number[] => list.flatMap((word) => [parseInt(word, 16) >> 8, parseInt(word, 16) & 255]);
  const wanted = bytes(prefix.words).slice(0, prefix.bits / 8);
  return bytes(words)
    .slice(0, wanted.length)
    .every((byte, index) => byte === wanted[index]);
}

/** The eight words of an IPv6 address, in lower-case hexadecimal without leading zeros. The URL parser knows all forms. */
function expandV6(address: string): string[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const words = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [words(head), words(tail ?? '')];
  return tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}

/** A list of networks in CIDR notation. */
export function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', bits = ''] = subnet.split('/');
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
