// Reads the catalogue for tables that row-level security does not protect. For specs, and for whoever wants to make sure of a live store.
import type { Query } from './pool.js';

interface Relation {
  readonly name: string;
  readonly kind: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly partition: boolean;
  readonly granted: boolean;
  readonly tenantGranted: boolean;
  readonly securityInvoker: boolean;
  readonly tenantPolicies: number;
  readonly openPolicies: readonly string[] | null;
}

// `migrations` of each schema holds no rows of tenants, and services only read it.
const RELATIONS = `
  select n.nspname || '.' || c.relname as name, c.relkind as kind, c.relrowsecurity as enabled, c.relforcerowsecurity as forced, c.relispartition as partition,
         exists (select from aclexplode(c.relacl) a where a.grantee <> c.relowner) as granted,
         exists (select from aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee where a.grantee = 0 or r.rolname like 'weft\\_%\\_tenant') as "tenantGranted",
         coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false) as "securityInvoker",
         (select count(*)::int from pg_policies p where p.schemaname = n.nspname and p.tablename = c.relname and p.roles::text like '%\\_tenant%') as "tenantPolicies",
         (select array_agg(p.policyname::text) from pg_policies p
           where p.schemaname = n.nspname and p.tablename = c.relname and (p.roles::text like '%\\_tenant%' or 'public' = any(p.roles))
             and (coalesce(p.qual, 'weft.tenant') not like '%weft.tenant%' or coalesce(p.with_check, 'weft.tenant') not like '%weft.tenant%')) as "openPolicies"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg\\_temp%'
     and not (c.relname = 'migrations' and not c.relrowsecurity)
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
   order by 1`;

/**
 * Every relation that could show a tenant the rows of another, as `schema.table: what is wrong`; empty when all are protected.
 * Ask as a role that reads the catalogue of the whole database (any does).
 */
export async function tablesWithoutForcedPolicy(query: Query): Promise<readonly string[]> {
  return (await query<Relation>(RELATIONS)).flatMap((relation) => faultsOf(relation).map((fault) => `${relation.name}: ${fault}`));
}

function faultsOf(relation: Relation): readonly string[] {
  if (relation.kind === 'v') return relation.securityInvoker ? [] : ['a view without security_invoker reads with the rights of its owner'];
  if (relation.kind === 'm' || relation.kind === 'f') return relation.granted ? ['a materialized view or foreign table has no row-level security, yet roles may read it'] : [];
  // Reached through its parent a partition is protected by the parent's policies; directly, only by not being granted.
  if (relation.partition && !relation.granted) return [];
  return [
    ...(relation.enabled ? [] : ['row-level security is not enabled']),
    ...(relation.forced ? [] : ['row-level security is not forced for the owner']),
    ...(relation.tenantGranted && relation.tenantPolicies === 0 ? ['the tenant role may use it but has no policy of its own'] : []),
    ...(relation.openPolicies ?? []).map((policy) => `the policy ${policy} does not look at weft.tenant`),
  ];
}
