import { refuse } from '@weft/kernel';
import pg from 'pg';
import { loginRolesOf, OWNER_ROLE } from './roles.js';
import { scramVerifier } from './scram-verifier.js';
import { stateOf } from './store-fault.js';

const ATTEMPTS_MAX = 10;

/** Creates the roles that are missing. They belong to the whole server: another database's migration may do the same right now. */
export async function createRoles(client: pg.Client, services: readonly string[], passwordOf: (role: string) => string | undefined): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await createMissing(client, services, passwordOf);
      return;
    } catch (fault) {
      // Created meanwhile, or "tuple concurrently updated".
      if (!['42710', '23505', 'XX000'].includes(stateOf(fault) ?? '') || attempt === ATTEMPTS_MAX) throw fault;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
  }
}

async function createMissing(client: pg.Client, services: readonly string[], passwordOf: (role: string) => string | undefined): Promise<void> {
  const logins = loginRolesOf(services);
  const { rows } = await client.query<{ name: string; powerful: boolean }>(
    `select rolname as name, rolsuper or rolbypassrls or rolcreaterole or rolreplication as powerful from pg_roles where rolname = any($1)`,
    [[...logins, OWNER_ROLE]],
  );
  const powerful = rows.filter((role) => role.powerful).map((role) => role.name);
  if (powerful.length > 0)
    refuse('config-invalid', `Expected the database roles of Weft without superuser, bypassrls, createrole and replication, but ${powerful.join(', ')} would pass row-level security.`);
  const present = new Set(rows.map((role) => role.name));
  if (!present.has(OWNER_ROLE)) await client.query(`create role ${OWNER_ROLE} nologin`);
  for (const role of logins) if (!present.has(role)) await client.query(`create role ${role} login`);
  for (const role of logins) {
    const password = passwordOf(role);
    if (password !== undefined) await client.query(`alter role ${role} password ${pg.escapeLiteral(scramVerifier(password))}`);
  }
  const { rows: rights } = await client.query<{ takesOn: boolean; creates: boolean }>(
    `select pg_has_role(current_user, $1, 'SET') as "takesOn", has_database_privilege($1, current_database(), 'create') as creates`,
    [OWNER_ROLE],
  );
  if (!rights[0]?.takesOn) await client.query(`grant ${OWNER_ROLE} to current_user`);
  if (!rights[0]?.creates) await client.query(`grant create on database ${pg.escapeIdentifier(client.database!)} to ${OWNER_ROLE}`);
}
