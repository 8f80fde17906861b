// A name server for fault runs: what a name resolves to is written in the name. Shares no code with what it judges.
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** A name server that runs. */
export interface DnsStandIn {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly close: () => Promise<void>;
}

const [TYPE_A, TYPE_CNAME, TYPE_AAAA] = [1, 5, 28];
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/^(.+\.)?localhost$/, '7f000001-00000000000000000000000000000001'],
  [/^(metadata\.google\.internal|instance-data)$/, 'a9fea9fe'],
];
const [NO_ERROR, NO_SUCH_NAME] = [0x8180, 0x8183];

/**
 * Starts it on 127.0.0.1 (UDP). Addresses are written in hexadecimal, 8 digits or 32, with hyphens between them:
 * `all-7f000001-5db8d822.x` has both; `turns-5db8d822-7f000001.x` gives the first address to the first question of its kind, the second to
 * the next, and the last one ever after; `alias-7f000001.x` is another name for `all-7f000001.x`. `localhost` and names of metadata services
 * resolve as they do where they exist. Nothing may be kept (TTL 0). Any other name does not exist.
 */
export async function startDnsStandIn(): Promise<DnsStandIn> {
  const asked = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const answer = answerTo(message, asked);
    if (answer) socket.send(answer, port, address);
  });
  await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** The answer to a question; undefined when the message is none. @param asked how often each name was asked for, by kind; counted on. */
export function answerTo(message: Buffer, asked: Map<string, number>): Buffer | undefined {
  const question = questionIn(message);
  if (!question) return undefined;
  const { name, type, end } = question;
  const addresses = addressesOf(name, type, asked);
  const records: Buffer[] = [];
  if (addresses && name.startsWith('alias-')) records.push(record(nameBytes(name), TYPE_CNAME, nameBytes(name.replace(/^alias-/, 'all-'))));
  const owner = name.startsWith('alias-') ? name.replace(/^alias-/, 'all-') : name;
  for (const address of addresses ?? []) records.push(record(nameBytes(owner), type, address));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(message.readUInt16BE(0), 0);
  head.writeUInt16BE(addresses ? NO_ERROR : NO_SUCH_NAME, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, message.subarray(12, end), ...records]);
}

function questionIn(message: Buffer): { readonly name: string; readonly type: number; readonly end: number } | undefined {
  if (message.length < 17 || message.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]!; length > 0; length = message[at] ?? 0) {
    if (length > 63 || at + 1 + length > message.length) return undefined;
    labels.push(message.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  return at + 5 > message.length ? undefined : { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function addressesOf(name: string, type: number, asked: Map<string, number>): readonly Buffer[] | undefined {
  const [, kind, list] = /^(all|turns|alias)-([0-9a-f-]+)\./.exec(name) ?? [name, 'all', KNOWN.find(([known]) => known.test(name))?.[1]];
  if (kind === undefined || list === undefined) return undefined;
  const digits = type === TYPE_A ? 8 : type === TYPE_AAAA ? 32 : 0;
  const fitting = list
    .split('-')
    .filter(({ length }) => length === digits)
    .map((hex) => Buffer.from(hex, 'hex'));
  if (kind !== 'turns') return fitting;
  const turn = asked.get(`${type} ${name}`) ?? 0;
  asked.set(`${type} ${name}`, turn + 1);
  return fitting.slice(0, Math.min(turn, fitting.length - 1) + 1).slice(-1);
}

function record(owner: Buffer, type: number, value: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt16BE(value.length, 8);
  return Buffer.concat([owner, fixed, value]);
}

const nameBytes = (name: string): Buffer => Buffer.concat([...name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]), Buffer.of(0)]);
