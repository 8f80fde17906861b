// Definition versions: stored by digest, immutable, one digest for a (namespace, name, version) of a tenant.
import { execute, inTenant, type Pool } from '@weft/adapter-postgres';
import { refuse, type Json } from '@weft/kernel';

/** Names a definition version. */
export type DefinitionRef = Pick<StoredDefinition, 'namespace' | 'name' | 'version' | 'digest'>;

export interface StoredDefinition {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly title: string;
  readonly createdAt: number;
}

const COLUMNS = `namespace, name, version, digest, title, (extract(epoch from created_at) * 1000)::float8 as "createdAt"`;

export class DefinitionStore {
  constructor(
    private readonly tenantPool: Pool,
    private readonly enginePool: Pool,
  ) {}

  /** Stores a version. The same document again is the same version; another document under the same version is refused. */
  async put(tenant: string, definition: Omit<StoredDefinition, 'createdAt'>, document: string): Promise<{ readonly stored: StoredDefinition; readonly created: boolean }> {
    return inTenant(this.tenantPool, tenant, async (query) => {
      const { namespace, name, version, digest, title } = definition;
      const inserted = await query<StoredDefinition>(
        `insert into orchestration.definitions (tenant, digest, namespace, name, version, title, document) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning ${COLUMNS}`,
        [tenant, digest, namespace, name, version, title, document],
      );
      if (inserted[0]) return { stored: inserted[0], created: true };
      const [existing] = await query<StoredDefinition>(`select ${COLUMNS} from orchestration.definitions where tenant = $1 and namespace = $2 and name = $3 and version = $4`, [
        tenant,
        namespace,
        name,
        version,
      ]);
      if (existing?.digest === digest) return { stored: existing, created: false };
      return refuse(
        'conflict',
        `Expected a new version: ${namespace}/${name}:${version} is already deployed with another document (digest ${existing?.digest.slice(0, 12) ?? 'unknown'}). Raise document.version.`,
      );
    });
  }

  /** The version a name stands for; the one deployed last when no version is given. */
  async resolve(tenant: string, namespace: string, name: string, version: string): Promise<StoredDefinition | undefined> {
    const [found] = await inTenant(this.tenantPool, tenant, (query) =>
      query<StoredDefinition>(
        `select ${COLUMNS} from orchestration.definitions where tenant = $1 and namespace = $2 and name = $3 and ($4 = '' or version = $4) order by created_at desc, version desc limit 1`,
        [tenant, namespace, name, version],
      ),
    );
    return found;
  }

  /** The versions that names stand for, in their order, for the interpreter: `latest`, or no version, is the one deployed last. */
  async resolveAll(names: readonly { readonly tenant: string; readonly namespace: string; readonly name: string; readonly version: string }[]): Promise<readonly (DefinitionRef | undefined)[]> {
    const rows = await execute<DefinitionRef & { readonly at: number }>(this.enginePool, {
      name: 'orchestration-resolve-1',
      text: `select n.ordinal::int as at, d.namespace, d.name, d.version, d.digest
        from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as n(tenant, namespace, name, version, ordinal)
        cross join lateral (select namespace, name, version, digest from orchestration.definitions d
          where d.tenant = n.tenant and d.namespace = n.namespace and d.name = n.name and (n.version in ('', 'latest') or d.version = n.version)
          order by d.created_at desc, d.version desc limit 1) d`,
      values: [names.map(({ tenant }) => tenant), names.map(({ namespace }) => namespace), names.map(({ name }) => name), names.map(({ version }) => version)],
    });
    const found: (DefinitionRef | undefined)[] = names.map(() => undefined);
    for (const { at, ...definition } of rows) found[at - 1] = definition;
    return found;
  }

  /** Newest first. `after` is the creation time and digest of the last row seen. */
  async list(tenant: string, limit: number, after: { readonly createdAt: number; readonly digest: string } | undefined): Promise<readonly StoredDefinition[]> {
    return inTenant(this.tenantPool, tenant, (query) =>
      query<StoredDefinition>(
        `select ${COLUMNS} from orchestration.definitions where tenant = $1 and ($2::float8 is null or (extract(epoch from created_at) * 1000, digest) < ($2, $3)) order by created_at desc, digest desc limit $4`,
        [tenant, after?.createdAt ?? null, after?.digest ?? '', limit],
      ),
    );
  }

  /** Documents by digest, for the interpreter. Equal digests are equal documents, whoever deployed them. */
  async documents(digests: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    const rows = await execute<{ digest: string; document: string }>(this.enginePool, {
      name: 'orchestration-definitions-1',
      text: 'select distinct on (digest) digest, document from orchestration.definitions where digest = any($1::text[])',
      values: [digests],
    });
    return new Map(rows.map((row) => [row.digest, JSON.parse(row.document) as Json]));
  }
}
