// Partitions of the history by month of the execution id (UUIDv7), created ahead so that a month is retired by dropping it.
import type { Query } from '@weft/adapter-postgres';

/**
 * Creates the partitions of this month and the next six, where they are missing. Orchestration does it again and again while it
 * runs, so that nothing comes to lie in the rest. A month whose rows are there already stays there.
 * @param lockMsMax how long to wait for the lock of the whole history, behind which everybody waits, in milliseconds. Default 0: for ever.
 */
export async function createHistoryPartitions(query: Query, lockMsMax = 0): Promise<void> {
  await query(`select set_config('lock_timeout', $1, true), orchestration.create_history_partitions()`, [String(lockMsMax)]);
}
