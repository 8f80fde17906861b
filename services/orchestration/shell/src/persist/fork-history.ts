// The history that a fork starts from. Forks are rare: each reads its own.
import { execute, type Pool } from '@weft/adapter-postgres';
import { decodeEvents, type CommandOf, type ExecutionCommand } from '@weft/orchestration/core';
import { Defect } from '@weft/kernel';

const HISTORY_SQL = 'select structure, payload from orchestration.history where execution_id = $1 and sequence <= $2 and tenant = $3 order by sequence';

export class ForkHistory {
  /** @param pool of the engine role. */
  constructor(private readonly pool: Pool) {}

  /** The command with the events that it needs; undefined when they are not there, are another tenant's, or this release cannot read them. */
  async read(fork: Omit<CommandOf<'BeginFork'>, 'events'>, tenant: string): Promise<ExecutionCommand | undefined> {
    const { execution, version } = fork.from;
    const rows = await execute<{ structure: string; payload: string | null }>(this.pool, { name: 'orchestration-fork-history-2', text: HISTORY_SQL, values: [execution, version, tenant] });
    if (rows.length !== version + 1) return undefined;
    try {
      return { ...fork, events: rows.flatMap((row) => decodeEvents(row, execution)) };
    } catch (fault) {
      if (fault instanceof Defect) return undefined;
      throw fault;
    }
  }
}
