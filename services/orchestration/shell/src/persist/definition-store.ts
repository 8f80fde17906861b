// Definition versions: stored by digest, immutable, one digest for a (namespace, name, version) of a tenant.
import { execute, inTenant, type Pool, type Query } from '@weft/adapter-postgres';
import { refuse, type Json } from '@weft/kernel';
import type { ResourceLock } from '@weft/workflow';

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

/** What the interpreter reads of a definition version. */
export interface DefinitionContent {
  readonly document: Json;
  /** External resources as they were when it was published; none for most. */
  readonly resources: ResourceLock;
}

const COLUMNS = `namespace, name, version, digest, title, (extract(epoch from created_at) * 1000)::float8 as "createdAt"`;

export class DefinitionStore {
  constructor(
    private readonly tenantPool: Pool,
    private readonly enginePool: Pool,
  ) {}

  /**
   * Stores a version. The same document again is the same version; another document under the same version is refused.
   * @param alsoNew writes what goes with a new one, in its transaction.
   */
  async put(
    tenant: string,
    definition: Omit<StoredDefinition, 'createdAt'>,
    document: string,
    resources: ResourceLock,
    alsoNew: (query: Query) => Promise<void> = async () => undefined,
  ): Promise<{ readonly stored: StoredDefinition; readonly created: boolean }> {
    return inTenant(this.tenantPool, tenant, async (query) => {
      const { namespace, name, version, digest, title } = definition;
      const inserted = await query<StoredDefinition>(
        `insert into orchestration.definitions (tenant, digest, namespace, name, version, title, document, resources) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning ${COLUMNS}`,
        [tenant, digest, namespace, name, version, title, document, Object.keys(resources).length === 0 ? null : JSON.stringify(resources)],
      );
      if (inserted[0]) {
        await alsoNew(query);
        return { stored: inserted[0], created: true };
      }
      const [existing] = await query<StoredDefinition & DefinitionRow>(
        `select ${COLUMNS}, document, resources from orchestration.definitions where tenant = $1 and namespace = $2 and name = $3 and version = $4`,
        [tenant, namespace, name, version],
      );
      if (existing?.digest === digest) return { stored: existing, created: false };
      return refuse(
        'conflict',
        `Expected a new version: ${namespace}/${name}:${version} is already deployed ${existing?.document === document ? changedResources(lockOf(existing), resources) : `with another document (digest ${existing?.digest.slice(0, 12) ?? 'unknown'})`}. Raise document.version.`,
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

  /** Definitions by digest, for the interpreter. Equal digests are equal documents and resources, whoever deployed them. */
  async contents(digests: readonly string[]): Promise<ReadonlyMap<string, DefinitionContent>> {
    const rows = await execute<{ digest: string } & DefinitionRow>(this.enginePool, {
      name: 'orchestration-definitions-2',
      text: 'select distinct on (digest) digest, document, resources from orchestration.definitions where digest = any($1::text[])',
      values: [digests],
    });
    return new Map(rows.map((row) => [row.digest, { document: JSON.parse(row.document) as Json, resources: lockOf(row) }]));
  }
}

interface DefinitionRow {
  readonly document: string;
  readonly resources: string | null;
}

const lockOf = ({ resources }: DefinitionRow): ResourceLock => (resources === null ? {} : (JSON.parse(resources) as ResourceLock));

const CHANGES_SHOWN_MAX = 5;

/** Which resources are not what they were when the version was deployed. */
function changedResources(before: ResourceLock, after: ResourceLock): string {
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((uri) => before[uri]?.digest !== after[uri]?.digest).toSorted();
  const short = (digest: string | undefined): string => digest?.slice(0, 12) ?? 'nothing';
  const shown = changed.slice(0, CHANGES_SHOWN_MAX).map((uri) => `${uri} was ${short(before[uri]?.digest)} and is ${short(after[uri]?.digest)}`);
  return `with other contents of its resources: ${shown.join(', ')}${changed.length > shown.length ? ` and ${changed.length - shown.length} more` : ''}`;
}
