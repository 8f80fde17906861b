// What kind of place an IP address is. Only what is known to be public may be connected to unasked.
import { BlockList, isIPv6 } from 'node:net';

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

/** The kind of an IP address in text form. An IPv4 address inside an IPv6 one (mapped, NAT64) is judged as itself. */
export function addressKind(address: string): AddressKind {
  const bare = address.split('%', 1)[0] ?? '';
  if (!isIPv6(bare)) {
    if (FORBIDDEN.check(bare, 'ipv4')) return 'forbidden';
    return PRIVATE_V4.check(bare, 'ipv4') ? 'private' : 'public';
  }
  const embedded = embeddedV4(bare);
  if (embedded !== undefined) return addressKind(embedded);
  if (FORBIDDEN.check(bare, 'ipv6')) return 'forbidden';
  return GLOBAL_V6.check(bare, 'ipv6') && !PRIVATE_V6.check(bare, 'ipv6') ? 'public' : 'private';
}

/** The IPv4 address in ::ffff:0:0/96, ::/96 (deprecated, but not ::1), 64:ff9b::/96 and 64:ff9b:1::/48. */
function embeddedV4(address: string): string | undefined {
  const words = expandV6(address);
  const head = words.slice(0, 6).join(':');
  const isEmbedded = head === '0:0:0:0:0:ffff' || head === '64:ff9b:0:0:0:0' || (words[0] === '64' && words[1] === 'ff9b' && words[2] === '1') || (head === '0:0:0:0:0:0' && words[6] !== '0');
  if (!isEmbedded) return undefined;
  const [high, low] = [parseInt(words[6] ?? '0', 16), parseInt(words[7] ?? '0', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight words of an IPv6 address, in lower-case hexadecimal without leading zeros. The URL parser knows all forms. */
function expandV6(address: string): string[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const words = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [words(head), words(tail ?? '')];
  return tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', bits = ''] = subnet.split('/');
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
