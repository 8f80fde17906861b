// The database roles: two for each service, one that owns the schemas, one that sequences the audit log. Source: docs/adr/0004.

/** Owns schemas and tables; used by migrations alone. It is subject to row-level security like everyone. */
export const OWNER_ROLE = 'weft_owner';
/** Reads commit rows of every service and marks them as sequenced; nothing else. */
export const SEQUENCER_ROLE = 'weft_audit_sequencer';

/** For everything a caller can reach: sees only the tenant set for the transaction. */
export const tenantRole = (service: string): string => `weft_${service}_tenant`;
/** For the batch writer alone: all tenants, by a policy of its own. Never held by a request handler. */
export const engineRole = (service: string): string => `weft_${service}_engine`;

/** Every role that a set of services needs. */
export function rolesOf(services: readonly string[]): readonly string[] {
  return [OWNER_ROLE, SEQUENCER_ROLE, ...services.flatMap((service) => [tenantRole(service), engineRole(service)])];
}
