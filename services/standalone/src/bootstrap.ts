// What a first start needs to be usable at once: definitions that lie in a folder, and a key for the default tenant.
import type { Pool } from '@weft/adapter-postgres';
import { contextOf, DEFAULT_TENANT, type OrchestrationPeer } from '@weft/contracts';
import { createApiKey } from '@weft/gateway/shell';
import { Refused } from '@weft/kernel';
import { logFor } from '@weft/nest-platform';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Deploys every definition of a folder. One that is refused is named and does not keep the others back. */
export async function deployFolder(orchestration: Pick<OrchestrationPeer, 'deploy'>, folder: string): Promise<void> {
  const log = logFor('standalone');
  const context = contextOf({ tenant: DEFAULT_TENANT, actor: 'service:standalone' });
  for (const name of readdirSync(folder)
    .filter((file) => /\.(ya?ml|json)$/.test(file))
    .sort()) {
    try {
      const { ref, created } = await orchestration.deploy({ text: readFileSync(join(folder, name), 'utf8') }, context);
      if (created && ref) log.info(`deployed ${ref.namespace}/${ref.name}:${ref.version}`, { file: name });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      log.error(`definition ${name} is refused: ${error.rejection.message}`);
    }
  }
}

/** The key of the default tenant: made once, kept in a file that only its owner reads. */
export async function defaultKey(pool: Pool, home: string): Promise<string> {
  const file = join(home, 'keys', 'default.key');
  if (existsSync(file)) {
    const text = readFileSync(file, 'utf8').trim();
    const id = /^weft_([^_]+)_/.exec(text)?.[1];
    // The store may be another than the one the file was made for.
    const known = id === undefined ? { rowCount: 0 } : await pool.query('select 1 from gateway.api_keys where id = $1 and revoked_at is null', [id]);
    if (known.rowCount) return text;
  }
  const { text } = await createApiKey(pool, DEFAULT_TENANT, 'default');
  mkdirSync(join(home, 'keys'), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return text;
}
