// The administrative mode that archives: opens what it needs of the store and closes it.
import { checkMigrated, engineRole, SEQUENCER_ROLE, tenantRole } from '@weft/adapter-postgres';
import { auditMigrations, ExecutionProofs, servicesWithCommits, verifierKeyOf } from '@weft/audit/shell';
import { refuse } from '@weft/kernel';
import { EndedExecutions, orchestrationMigrations } from '@weft/orchestration/shell';
import type { StandaloneConfig } from '../config.js';
import { servicePool, type OpenedStore } from '../store.js';
import { runArchive, type ArchiveReport } from './run-archive.js';

const DAY_MS = 86_400_000;

/**
 * Archives what ended before an instant, `WEFT_RETENTION_DAYS` ago unless it is named.
 * @param args folder, RFC 3339 time or '', `dry-run` or nothing. @throws Refused `request-invalid` when there is no retention and no time.
 */
export async function archive(store: OpenedStore, config: StandaloneConfig, [folder = '', time = '', mode = '']: readonly string[]): Promise<ArchiveReport> {
  const before = time === '' ? (config.WEFT_RETENTION_DAYS === 0 ? undefined : Date.now() - config.WEFT_RETENTION_DAYS * DAY_MS) : Date.parse(time);
  if (before === undefined) refuse('request-invalid', 'Expected a time before which executions are archived, or WEFT_RETENTION_DAYS, but neither is set: executions are kept for ever.');
  if (folder === '' || !(before > 0)) refuse('request-invalid', `Expected a folder and a time but got ${JSON.stringify([folder, time])}.`);
  if (before > Date.now()) refuse('request-invalid', `Expected a time that has passed but got ${time}.`);
  const [pool, sequencerPool, tenantPool] = [servicePool(store, engineRole('orchestration'), 2), servicePool(store, SEQUENCER_ROLE, 2), servicePool(store, tenantRole('audit'), 2)];
  try {
    await checkMigrated(pool, orchestrationMigrations);
    await checkMigrated(tenantPool, auditMigrations);
    const services = await servicesWithCommits(sequencerPool, config.WEFT_AUDIT_SERVICES);
    const verifierKey = verifierKeyOf(config);
    const proofs = new ExecutionProofs(sequencerPool, tenantPool, services, verifierKey);
    const onProgress = (text: string): void => void process.stderr.write(`${text}\n`);
    return await runArchive({ ended: new EndedExecutions(pool), proofs, pool, verifierKey, now: Date.now, onProgress }, { folder, before, dryRun: mode === 'dry-run' });
  } finally {
    await Promise.all([pool.end(), sequencerPool.end(), tenantPool.end()]);
  }
}
