// Partitions of the history by month of the execution id (UUIDv7), created ahead so that a month is retired by dropping it.
import type { Query } from '@weft/adapter-postgres';

/**
 * Creates the partitions of this month and the next six, where they are missing. Orchestration does it again and again while it
 * runs, so that nothing comes to lie in the rest. A month whose rows are there already stays there.
 */
export async function createHistoryPartitions(query: Query): Promise<void> {
  await query('select orchestration.create_history_partitions()');
}
