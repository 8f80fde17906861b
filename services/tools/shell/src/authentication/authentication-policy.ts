// Authentication policies of the standard, read from a job's arguments. Source: Open Workflow Specification 1.0.3, dsl-reference.md#authentication.
import { isJsonObject, objectOf, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';

export type ClientAuthentication = 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'none';
export type Grant = 'client_credentials' | 'password' | 'refresh_token' | typeof TOKEN_EXCHANGE;

/** Name of the grant by which one token is exchanged for another. Source: RFC 8693. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

export interface SecurityToken {
  readonly token: string;
  readonly type: string;
}

/** How a token is asked for. */
export interface TokenPolicy {
  /** URL of the authorization server; with `oidc` that of its discovery document, or what it is found below. */
  readonly authority: string;
  /** Path of the token endpoint below the authority, default `/oauth2/token`; with `oidc` the discovery document says it. */
  readonly tokenPath: string | undefined;
  readonly grant: Grant;
  readonly client: { readonly id?: string; readonly secret?: string; readonly assertion?: string; readonly authentication: ClientAuthentication };
  readonly encoding: 'application/x-www-form-urlencoded' | 'application/json';
  readonly issuers: readonly string[];
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly subject?: SecurityToken;
  readonly actor?: SecurityToken;
}

export type AuthenticationPolicy =
  | { readonly scheme: 'basic' | 'digest'; readonly username: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'oauth2' | 'oidc'; readonly policy: TokenPolicy };

export type PolicyReading = { readonly ok: true; readonly policy: AuthenticationPolicy } | { readonly ok: false; readonly failure: Failure };

const GRANTS: readonly string[] = ['client_credentials', 'password', 'refresh_token', TOKEN_EXCHANGE];
const CLIENT_AUTHENTICATIONS: readonly string[] = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'];
const ENCODINGS: readonly string[] = ['application/x-www-form-urlencoded', 'application/json'];

/** Reads a policy in which every name and secret is filled in. Failure code: `not-configured`; no message tells a value. */
export function readAuthenticationPolicy(given: Json): PolicyReading {
  const [entry, ...more] = isJsonObject(given) ? Object.entries(given) : [];
  if (!entry || more.length > 0) return unfit('it is no object with one of basic, bearer, digest, oauth2 and oidc');
  const [scheme, fields] = entry;
  // A secret that is one text is the token itself.
  if (scheme === 'bearer' && typeof fields === 'string' && fields !== '') return { ok: true, policy: { scheme, token: fields } };
  if (!isJsonObject(fields)) return unfit(`${scheme} is no object; a secret that it names has its fields, as JSON`);
  switch (scheme) {
    case 'basic':
    case 'digest': {
      const { username, password } = fields;
      if (typeof username !== 'string' || typeof password !== 'string') return unfit(`${scheme} lacks a text as username or as password`);
      return { ok: true, policy: { scheme, username, password } };
    }
    case 'bearer':
      return typeof fields['token'] === 'string' && fields['token'] !== '' ? { ok: true, policy: { scheme, token: fields['token'] } } : unfit('bearer lacks a text as token');
    case 'oauth2':
    case 'oidc': {
      const policy = tokenPolicy(fields);
      return typeof policy === 'string' ? unfit(`${scheme} ${policy}`) : { ok: true, policy: { scheme, policy } };
    }
    default:
      return unfit(`it has the scheme ${JSON.stringify(scheme.slice(0, 40))}`);
  }
}

/** @returns what is wrong with it, when something is. */
function tokenPolicy(fields: JsonObject): TokenPolicy | string {
  const client = objectOf(fields['client']);
  const [authority, grant] = [textOf(fields['authority']), textOf(fields['grant'])];
  const authentication = textOf(client['authentication']) ?? 'client_secret_post';
  const encoding = textOf(objectOf(fields['request'])['encoding']) ?? ENCODINGS[0]!;
  if (authority === undefined || !URL.canParse(authority)) return 'has no URL as authority';
  if (grant === undefined || !GRANTS.includes(grant)) return `has a grant other than ${GRANTS.join(', ')}: others need a browser`;
  if (!CLIENT_AUTHENTICATIONS.includes(authentication)) return `has a client.authentication other than ${CLIENT_AUTHENTICATIONS.join(', ')}`;
  if (!ENCODINGS.includes(encoding)) return `has a request.encoding other than ${ENCODINGS.join(', ')}`;
  const problem = missingOf(fields, client, grant, authentication);
  if (problem !== undefined) return problem;
  return {
    authority,
    tokenPath: textOf(objectOf(fields['endpoints'])['token']),
    grant: grant as Grant,
    client: { ...textsOf(client, ['id', 'secret', 'assertion']), authentication: authentication as ClientAuthentication },
    encoding: encoding as TokenPolicy['encoding'],
    issuers: listOf(fields['issuers']),
    scopes: listOf(fields['scopes']),
    audiences: listOf(fields['audiences']),
    ...textsOf(fields, ['username', 'password']),
    ...tokenOf('subject', fields['subject']),
    ...tokenOf('actor', fields['actor']),
  };
}

function missingOf(fields: JsonObject, client: JsonObject, grant: string, authentication: string): string | undefined {
  const isMissing = (value: Json | undefined): boolean => typeof value !== 'string' || value === '';
  if (authentication !== 'none' && isMissing(client['id'])) return 'lacks client.id';
  if (authentication.startsWith('client_secret') && isMissing(client['secret'])) return `lacks client.secret, which ${authentication} needs`;
  if (authentication === 'private_key_jwt' && isMissing(client['assertion'])) return 'lacks client.assertion, which private_key_jwt needs';
  if (grant === 'password' && (isMissing(fields['username']) || isMissing(fields['password']))) return 'lacks username or password, which the grant password needs';
  if ((grant === 'refresh_token' || grant === TOKEN_EXCHANGE) && isMissing(objectOf(fields['subject'])['token'])) return `lacks subject.token, which the grant ${grant} needs`;
  return undefined;
}

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const listOf = (value: Json | undefined): readonly string[] => (Array.isArray(value) ? (value as readonly Json[]).filter((item) => typeof item === 'string') : []);
const textsOf = (from: JsonObject, names: readonly string[]): { readonly [name: string]: string } =>
  Object.fromEntries(names.flatMap((name) => (typeof from[name] === 'string' ? [[name, from[name]]] : [])));

function tokenOf<N extends string>(name: N, value: Json | undefined): { readonly [K in N]?: SecurityToken } {
  const { token, type } = objectOf(value);
  return (typeof token === 'string' ? { [name]: { token, type: textOf(type) ?? '' } } : {}) as { readonly [K in N]?: SecurityToken };
}

function unfit(problem: string): Extract<PolicyReading, { ok: false }> {
  return { ok: false, failure: rejection('not-configured', `Expected an authentication policy that can be used but ${problem}.`) };
}
