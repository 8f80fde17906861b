// URLs that lead where nothing may go, in the forms that are known to get past checks.

export interface HostileUrl {
  readonly url: string;
  /** A name that is public at first: an attempt may go out and fail on the way. */
  readonly mayFail?: boolean;
  /** Parsers do not agree on where it leads: it may arrive where requests may go. */
  readonly mayArrive?: boolean;
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Hosts that are this machine, in every form that some parser takes for it. */
const THIS_MACHINE = words(`
  127.0.0.1 127.1 127.0.1 127.255.255.254 127.0.0.1. 2130706433 0x7f000001 0x7F.0.0.1 0x7f.1 0177.0.0.1 017700000001 0177.0.0.0x1 127.0.0x0.1 0 0.0.0.0
  0x0 00 [::] [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:0001] [::127.0.0.1] [::ffff:0:127.0.0.1]
  [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::127.0.0.1] [2002:7f00:1::] [2001:0:4136:e378:8000:63bf:80ff:fffe] [fe80::5efe:127.0.0.1] localhost
  LOCALHOST localhost. a.localhost \u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3 \uff11\uff12\uff17.\uff10.\uff10.\uff11
  127\u30020\u30020\u30021 \u2460\u2461\u2466.\u24ea.\u24ea.\u2460 127%2e0%2e0%2e1 %31%32%37.0.0.1
`);

const METADATA = words(`
  169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [64:ff9b::a9fe:a9fe] [::a9fe:a9fe]
  [2002:a9fe:a9fe::] [fd00:ec2::254] [fd20:ce::254] 100.100.100.200 168.63.129.16 192.0.0.192 metadata.google.internal instance-data [fe80::a9fe:a9fe]
  [fe80::1%25lo]
`);

const PRIVATE = words(`
  10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.254 192.168.0.1 100.64.0.1 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
  239.255.255.250 240.0.0.1 255.255.255.255 [fc00::1] [fd12:3456::1] [fec0::1] [ff02::1] [100::1] [2001:db8::1] [2001:10::1] [3fff::1] [5f00::1]
`);

const LOOPBACK = '7f000001';
const PUBLIC = '5db8d822';
const MAPPED = '00000000000000000000ffff7f000001';

/** Names of the stand-in for a name server, with what they resolve to. */
export const HOSTILE_NAMES: readonly { readonly name: string; readonly mayFail?: boolean }[] = [
  { name: `all-${LOOPBACK}.egress.test` },
  { name: `all-${LOOPBACK}.egress.test.` },
  { name: `all-${PUBLIC}-${LOOPBACK}.egress.test` },
  { name: `all-${LOOPBACK}-${PUBLIC}.egress.test` },
  { name: `all-${PUBLIC}-${PUBLIC}-${PUBLIC}-${LOOPBACK}.egress.test` },
  { name: `all-${MAPPED}.egress.test` },
  { name: `all-${PUBLIC}-${MAPPED}.egress.test` },
  { name: 'all-00000000000000000000000000000001.egress.test' },
  { name: 'all-0064ff9b00000000000000007f000001.egress.test' },
  { name: 'all-20027f00000100000000000000000000.egress.test' },
  { name: 'all-00000000.egress.test' },
  { name: 'all-a9fea9fe.egress.test' },
  { name: `all-${PUBLIC}-a9fea9fe.egress.test` },
  { name: 'all-0a000001.egress.test' },
  { name: 'all-c0a80001.egress.test' },
  { name: `alias-${LOOPBACK}.egress.test` },
  { name: 'alias-a9fea9fe.egress.test' },
  { name: `turns-${PUBLIC}-${LOOPBACK}.egress.test`, mayFail: true },
  { name: `turns-${LOOPBACK}-${PUBLIC}.egress.test`, mayFail: true },
];

/** @param sinkPort the port of the sink. @param allowed the origin that may be reached. */
export function hostileUrls(sinkPort: number, allowed: string): readonly HostileUrl[] {
  const sink = `127.0.0.1:${sinkPort}`;
  const { host, port } = new URL(allowed);
  const hosts = [...THIS_MACHINE, ...METADATA, ...PRIVATE].flatMap((name) => [`http://${name}:${sinkPort}/`, `https://${name}:${sinkPort}/`]);
  const metadata = ['169.254.169.254', '[fd00:ec2::254]', 'metadata.google.internal'].flatMap((name) => [`http://${name}/latest/meta-data/`, `https://${name}/`]);
  const names = HOSTILE_NAMES.flatMap(({ name, mayFail = false }) => [{ url: `https://${name}:${sinkPort}/`, mayFail }]);
  const ambiguous = [`http://${host}\\@${sink}/`, `http:/${sink}/`, `http:${sink}/`].map((url) => ({ url, mayArrive: true }));
  const confusions = [
    `http://${host}@${sink}/`,
    `http://user:pass@${sink}/`,
    `http://${sink}\\@${host}/`,
    `http://${sink}#@${host}/`,
    `http://${sink}?@${host}/`,
    `http://${sink}/${allowed}`,
    `http://${host}.egress.test:${sinkPort}/`,
    `http://127.0.0.1%09:${sinkPort}/`,
    `http://127.0.0.1%00.${host}/`,
    `http:///${sink}/`,
    `http:\\\\${sink}/`,
    `//${sink}/`,
    ` http://${sink}/`,
    `ht\ttp://${sink}/`,
    `http://127.0.0.1\n:${sinkPort}/`,
    `HTTP://${sink}/`,
    `http://127.0.0.1:0${sinkPort}/`,
    `https://127.0.0.1:${port}/`,
    `http://localhost:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    ...['ftp', 'file', 'gopher', 'dict', 'ws', 'wss', 'ldap', 'tftp', 'jar:http', 'view-source:http', 'blob:http'].map((scheme) => `${scheme}://${sink}/`),
    'file:///etc/passwd',
    'data:text/plain,inside',
    'unix:/var/run/docker.sock',
    `javascript:fetch('http://${sink}/')`,
    'about:blank',
  ];
  return [...[...hosts, ...metadata, ...confusions].map((url) => ({ url })), ...ambiguous, ...names];
}
