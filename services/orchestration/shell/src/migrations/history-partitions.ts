// Partitions of the history by month of the execution id (UUIDv7), created ahead so that a month is retired by dropping it.
import type { Query } from '@weft/adapter-postgres';

const MONTHS_AHEAD = 6;

/**
 * Creates the partitions of this month and the next ones, where they are missing. A month whose rows went to the rest
 * already, because nobody migrated for long, stays there.
 */
export async function createHistoryPartitions(query: Query): Promise<void> {
  const now = new Date();
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
    const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1));
    const name = `history_${from.toISOString().slice(0, 7).replace('-', '_')}`;
    await query(`do $$ begin
      create table if not exists orchestration.${name} partition of orchestration.history for values from ('${firstIdOf(from)}') to ('${firstIdOf(to)}');
    exception when check_violation then
      raise notice '% stays in history_rest', '${name}';
    end $$`);
  }
}

/** The lowest UUID whose first 48 bits are an instant. */
function firstIdOf(instant: Date): string {
  const time = instant.getTime().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
