// A server that asks for credentials, and the authorization server that gives tokens for it.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface GuardedServer {
  readonly url: string;
  readonly received: Received[];
  /** Tokens that are good now; the server accepts no other. */
  readonly tokens: Set<string>;
  /** Seconds that the next tokens hold. */
  lifetimeSeconds: number;
  /** Milliseconds before a token is given. Default 0. */
  tokenDelayMs: number;
  close(): Promise<void>;
}

/** Paths: `/basic`, `/bearer`, `/digest`, `/echo`, `/oauth2/token`, `/.well-known/openid-configuration`, `/tokens`. */
export async function startGuardedServer(): Promise<GuardedServer> {
  const received: Received[] = [];
  const tokens = new Set<string>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      received.push(seen);
      answer(guarded, seen, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const guarded: GuardedServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    tokens,
    lifetimeSeconds: 3600,
    tokenDelayMs: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return guarded;
}

export const USER = { username: 'ada', password: 'open sesame' };

function answer(server: GuardedServer, seen: Received, response: ServerResponse): void {
  const json = (status: number, content: object, headers: object = {}): void => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(content));
  const { authorization = '' } = seen.headers;
  switch (seen.path.split('?', 1)[0]) {
    case '/basic':
      return authorization === `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}` ? json(200, { in: true }) : json(401, {});
    case '/bearer':
      return server.tokens.has(authorization.replace('Bearer ', '')) ? json(200, { in: true }) : json(401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' });
    case '/digest':
      return isDigestOf(seen) ? json(200, { in: true }) : json(401, {}, { 'www-authenticate': 'Digest realm="spec", qop="auth", algorithm=SHA-256, nonce="n1", opaque="o1"' });
    case '/echo':
      return json(200, { headers: seen.headers, path: seen.path, body: seen.body });
    case '/oauth2/token':
    case '/tokens': {
      const token = `token-${server.received.length}-of-the-spec`;
      server.tokens.add(token);
      return void setTimeout(() => json(200, { access_token: token, token_type: 'bearer', expires_in: server.lifetimeSeconds }), server.tokenDelayMs);
    }
    case '/.well-known/openid-configuration':
      return json(200, { issuer: server.url, token_endpoint: `${server.url}/tokens` });
    default:
      return json(seen.path === '/refusing/oauth2/token' ? 400 : 404, { error: 'invalid_client' });
  }
}

function isDigestOf({ method, headers: { authorization = '' } }: Received): boolean {
  const part = (name: string): string => new RegExp(`\\b${name}="?([^",]+)`).exec(authorization)?.[1] ?? '';
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const [first, second] = [hash(`${USER.username}:spec:${USER.password}`), hash(`${method}:${part('uri')}`)];
  return authorization.startsWith('Digest ') && part('response') === hash(`${first}:n1:${part('nc')}:${part('cnonce')}:auth:${second}`);
}
