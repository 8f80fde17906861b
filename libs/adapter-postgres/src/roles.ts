// The database roles: two for each service, one that owns the schemas, one that sequences the audit log.
import { invariant } from '@weft/kernel';

/** Owns schemas and tables; migrations take it on, nobody logs in as it. It is subject to row-level security like everyone. */
export const OWNER_ROLE = 'weft_owner';
/** Reads commit rows of every service and marks them as sequenced; nothing else. */
export const SEQUENCER_ROLE = 'weft_audit_sequencer';

/** For everything a caller can reach: sees only the tenant set for the transaction. */
export const tenantRole = (service: string): string => `weft_${sqlName(service)}_tenant`;
/** For the batch writer alone: all tenants, by a policy of its own. Never held by a request handler. */
export const engineRole = (service: string): string => `weft_${sqlName(service)}_engine`;

/** Every role that a service logs in as, given all services. */
export function loginRolesOf(services: readonly string[]): readonly string[] {
  return [SEQUENCER_ROLE, ...services.flatMap((service) => [tenantRole(service), engineRole(service)])];
}

/** A name that is put into SQL as it stands. */
export function sqlName(name: string): string {
  invariant(/^[a-z][a-z0-9_]{0,40}$/.test(name), `"${name}" is no name for a schema or table: lower-case letters, digits and _`);
  return name;
}
