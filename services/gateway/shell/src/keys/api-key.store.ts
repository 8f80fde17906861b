// Tenants and keys in PostgreSQL. Used before it is known who calls, so by the engine role, one row at a time.
import { execute, type Pool } from '@weft/adapter-postgres';
import { isTenantId, refuse } from '@weft/kernel';
import { apiKeyText, newApiKey, proofOf, type SecretProof } from './api-key.js';

/** A key that was just made. Its text is shown once: only a digest is kept. */
export interface CreatedKey {
  readonly id: string;
  readonly tenant: string;
  readonly text: string;
}

/** What is known of a key. */
export interface StoredKey extends SecretProof {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  /** The person that it acts for; '' = the key itself. */
  readonly user: string;
  readonly roles: readonly string[];
  readonly isRevoked: boolean;
}

/** Whom a key acts for, and with which roles. */
export interface KeyIdentity {
  readonly user?: string;
  readonly roles?: readonly string[];
}

const CREATE_SQL = `
with known as (insert into gateway.tenants (tenant) values ($1) on conflict do nothing)
insert into gateway.api_keys (tenant, id, name, salt, digest, acts_for, roles) values ($1, $2, $3, $4, $5, $6, $7)`;

const IDENTITY = /^[\p{L}\p{N}._@+-]{1,100}$/u;

const FIND_SQL = `select id, tenant, name, salt, digest, acts_for as "user", roles, revoked_at is not null as "isRevoked" from gateway.api_keys where id = $1`;

/**
 * Makes an API key for a tenant; the tenant is made along the way.
 * @param pool of the gateway's engine role. @param name what the key is for, 1 to 100 characters.
 * @throws Refused `request-invalid` for a name, a user or a role that cannot be one.
 */
export async function createApiKey(pool: Pool, tenant: string, name: string, { user = '', roles = [] }: KeyIdentity = {}): Promise<CreatedKey> {
  if (!isTenantId(tenant)) refuse('request-invalid', `Expected a tenant name of a-z, 0-9 and "-", at most 63 characters, but got ${JSON.stringify(tenant)}.`);
  if (name === '' || name.length > 100 || name.includes('\u0000')) refuse('request-invalid', `Expected a name of 1 to 100 characters for the key but got ${JSON.stringify(name.slice(0, 120))}.`);
  for (const given of [...(user === '' ? [] : [user]), ...roles])
    if (!IDENTITY.test(given)) refuse('request-invalid', `Expected a user and roles of 1 to 100 letters, digits and . _ @ + - but got ${JSON.stringify(given.slice(0, 120))}.`);
  const key = newApiKey();
  const { salt, digest } = proofOf(key.secret);
  await execute(pool, { name: 'gateway-create-key-2', text: CREATE_SQL, values: [tenant, key.id, name, salt, digest, user, [...new Set(roles)]] });
  return { id: key.id, tenant, text: apiKeyText(key) };
}

/** Ends a key. Gateways that know it follow within their cache time. @returns whether there was such a key in use. */
export async function revokeApiKey(pool: Pool, id: string): Promise<boolean> {
  const rows = await execute(pool, { name: 'gateway-revoke-key-1', text: 'update gateway.api_keys set revoked_at = now() where id = $1 and revoked_at is null returning id', values: [id] });
  return rows.length > 0;
}

/** Whether a tenant has a key in use. */
export async function hasApiKey(pool: Pool, tenant: string): Promise<boolean> {
  const rows = await execute(pool, { name: 'gateway-has-key-1', text: 'select 1 from gateway.api_keys where tenant = $1 and revoked_at is null limit 1', values: [tenant] });
  return rows.length > 0;
}

/** The key of an id, or undefined. */
export async function findApiKey(pool: Pool, id: string): Promise<StoredKey | undefined> {
  const [row] = await execute<{ id: string; tenant: string; name: string; salt: Buffer; digest: Buffer; user: string; roles: string[]; isRevoked: boolean }>(pool, {
    name: 'gateway-find-key-2',
    text: FIND_SQL,
    values: [id],
  });
  return row;
}
