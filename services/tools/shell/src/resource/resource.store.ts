// What workflow documents refer to: kept by its digest, so that what an execution reads is what was published.
import { execute, type Pool } from '@weft/adapter-postgres';

/** A resource as its holder gave it. */
export interface Resource {
  /** SHA-256 of the content in hex. */
  readonly digest: string;
  /** Without parameters; empty when its holder named none. */
  readonly mediaType: string;
  readonly content: Buffer;
}

export class ResourceStore {
  /** @param pool of the engine role. */
  constructor(private readonly pool: Pool) {}

  /** Keeps resources; one that is there already stays as it is. */
  async keep(tenant: string, resources: readonly Resource[]): Promise<void> {
    if (resources.length === 0) return;
    await execute(this.pool, {
      name: 'tools-resources-keep-1',
      text: `insert into tools.resources (tenant, digest, media_type, content)
        select $1, digest, media_type, content from unnest($2::text[], $3::text[], $4::bytea[]) as given (digest, media_type, content) on conflict do nothing`,
      values: [tenant, resources.map(({ digest }) => digest), resources.map(({ mediaType }) => mediaType), resources.map(({ content }) => content)],
    });
  }

  /** The resource of a digest, or undefined when the tenant published none such. */
  async find(tenant: string, digest: string): Promise<Resource | undefined> {
    const [row] = await execute<{ media_type: string; content: Buffer }>(this.pool, {
      name: 'tools-resources-find-1',
      text: 'select media_type, content from tools.resources where tenant = $1 and digest = $2',
      values: [tenant, digest],
    });
    return row && { digest, mediaType: row.media_type, content: row.content };
  }
}
