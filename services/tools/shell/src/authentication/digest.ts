// Digest access authentication: the answer to a challenge. Source: RFC 7616.
import { createHash, randomBytes } from 'node:crypto';

/** One challenge of a server. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: 'MD5' | 'SHA-256' | 'SHA-512-256';
  readonly isSession: boolean;
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly opaque: string | undefined;
  readonly hashesUser: boolean;
}

/** What is answered for. */
export interface DigestedRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  readonly body: string;
}

// The strongest first, in the order in which one is chosen.
const HASHES = { 'SHA-512-256': 'sha512-256', 'SHA-256': 'sha256', MD5: 'md5' } as const;

/** The strongest challenge of a `www-authenticate` header that can be answered; undefined: none is of the scheme Digest. */
export function digestChallenge(header: string | undefined): DigestChallenge | undefined {
  const challenges = [...(header ?? '').matchAll(/(?:^|,)\s*Digest\s+((?:[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,"]+)\s*(?:,\s*(?=[\w-]+\s*=)|(?=,)|$))+)/gi)].flatMap(
    ([, parameters = '']) => challengeOf(parameters) ?? [],
  );
  const strength = Object.keys(HASHES);
  return challenges.toSorted((a, b) => strength.indexOf(a.algorithm) - strength.indexOf(b.algorithm))[0];
}

function challengeOf(text: string): DigestChallenge | undefined {
  const parameters = new Map(
    [...text.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)].map(([, name = '', quoted, bare = '']) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare]),
  );
  const [nonce, realm] = [parameters.get('nonce'), parameters.get('realm')];
  const [, algorithm = '', session] = /^(MD5|SHA-256|SHA-512-256)(-sess)?$/i.exec(parameters.get('algorithm') ?? 'MD5') ?? [];
  if (nonce === undefined || realm === undefined || algorithm === '') return undefined;
  const offered = parameters
    .get('qop')
    ?.split(',')
    .map((one) => one.trim().toLowerCase());
  const qop = offered?.includes('auth') ? 'auth' : offered?.includes('auth-int') ? 'auth-int' : undefined;
  if (offered && qop === undefined) return undefined;
  return {
    realm,
    nonce,
    algorithm: algorithm.toUpperCase() as DigestChallenge['algorithm'],
    isSession: session !== undefined,
    qop,
    opaque: parameters.get('opaque'),
    hashesUser: parameters.get('userhash')?.toLowerCase() === 'true',
  };
}

/** The value of the `authorization` header. @param cnonce the client's nonce; default random. */
export function digestAnswer(challenge: DigestChallenge, user: { readonly username: string; readonly password: string }, request: DigestedRequest, cnonce = randomBytes(16).toString('hex')): string {
  const { realm, nonce, algorithm, isSession, qop, opaque, hashesUser } = challenge;
  const hash = (text: string): string => createHash(HASHES[algorithm]).update(text).digest('hex');
  const count = '00000001';
  const secret = hash(`${user.username}:${realm}:${user.password}`);
  const first = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const second = hash(`${request.method}:${request.target}${qop === 'auth-int' ? `:${hash(request.body)}` : ''}`);
  const response = qop === undefined ? hash(`${first}:${nonce}:${second}`) : hash(`${first}:${nonce}:${count}:${cnonce}:${qop}:${second}`);
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const parts = [
    `username=${quoted(hashesUser ? hash(`${user.username}:${realm}`) : user.username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(request.target)}`,
    `response="${response}"`,
    `algorithm=${algorithm}${isSession ? '-sess' : ''}`,
    ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${count}`]),
    ...(qop === undefined && !isSession ? [] : [`cnonce="${cnonce}"`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(hashesUser ? ['userhash=true'] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}
