// The request by which a token is asked for. Source: RFC 6749; RFC 7523 (assertions); RFC 8693 (exchange).
import { createHmac, randomUUID } from 'node:crypto';
import { TOKEN_EXCHANGE, type TokenPolicy } from './authentication-policy.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_MS = 60_000;

export interface TokenRequest {
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** @param endpoint URL of the token endpoint, which is the audience of an assertion. @param now milliseconds since the Unix epoch. */
export function tokenRequest(policy: TokenPolicy, endpoint: string, now: number): TokenRequest {
  const { client, encoding } = policy;
  const fields: [string, string | undefined][] = [['grant_type', policy.grant], ...grantFields(policy), ['scope', policy.scopes.join(' ') || undefined]];
  for (const audience of policy.audiences) fields.push(['audience', audience]);
  if (client.authentication !== 'client_secret_basic') fields.push(['client_id', client.id]);
  if (client.authentication === 'client_secret_post') fields.push(['client_secret', client.secret]);
  if (client.authentication === 'client_secret_jwt' || client.authentication === 'private_key_jwt') {
    fields.push(['client_assertion_type', ASSERTION_TYPE], ['client_assertion', client.assertion ?? signedAssertion(client.id ?? '', client.secret ?? '', endpoint, now)]);
  }
  const given = fields.filter((field): field is [string, string] => field[1] !== undefined);
  return {
    headers: {
      accept: 'application/json',
      'content-type': encoding,
      ...(client.authentication === 'client_secret_basic' ? { authorization: `Basic ${Buffer.from(`${formEncoded(client.id)}:${formEncoded(client.secret)}`).toString('base64')}` } : {}),
    },
    body: encoding === 'application/json' ? JSON.stringify(inJson(given)) : new URLSearchParams(given).toString(),
  };
}

function grantFields({ grant, username, password, subject, actor }: TokenPolicy): [string, string | undefined][] {
  switch (grant) {
    case 'password':
      return [
        ['username', username],
        ['password', password],
      ];
    case 'refresh_token':
      return [['refresh_token', subject?.token]];
    case TOKEN_EXCHANGE:
      return [
        ['subject_token', subject?.token],
        ['subject_token_type', subject?.type],
        ['actor_token', actor?.token],
        ['actor_token_type', actor?.type],
      ];
    case 'client_credentials':
      return [];
  }
}

/** Names that come several times have a list of values. */
function inJson(fields: readonly (readonly [string, string])[]): object {
  const byName = [...Map.groupBy(fields, ([name]) => name)];
  return Object.fromEntries(byName.map(([name, all]) => [name, all.length === 1 ? all[0]![1] : all.map(([, value]) => value)]));
}

// Source: RFC 6749, 2.3.1: id and secret are encoded as in a form before they are joined.
const formEncoded = (text = ''): string => new URLSearchParams({ '': text }).toString().slice(1);

/** An assertion that the client signs with its secret. Source: RFC 7523, section 3; OpenID Connect Core 1.0, section 9. */
function signedAssertion(id: string, secret: string, audience: string, now: number): string {
  const issued = Math.floor(now / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: id, sub: id, aud: audience, jti: randomUUID(), iat: issued, exp: issued + ASSERTION_MS / 1000 })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
