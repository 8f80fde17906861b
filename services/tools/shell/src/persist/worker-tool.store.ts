// What workers have brought last, by source and tool: every replica offers the same.
import { execute, type Pool } from '@weft/adapter-postgres';
import type { WorkerToolDefinition } from '../workers/worker-tool.js';

/** Told when a worker has brought something new; payload: the source. */
export const TOOLS_CHANNEL = 'tools_worker_tools';

export class WorkerToolStore {
  constructor(private readonly pool: Pool) {}

  /** Keeps the definitions of a registration; what is as it was writes nothing and wakes nobody. */
  async keep(source: string, worker: string, tools: readonly WorkerToolDefinition[]): Promise<void> {
    await execute(this.pool, {
      name: 'tools-worker-keep-1',
      text: `with kept as (
          insert into tools.worker_tools (source, tool, definition, brought_by, brought_at)
          select $1, tool, definition, $2, clock_timestamp() from unnest($3::text[], $4::text[]) as t(tool, definition)
          on conflict (source, tool) do update set definition = excluded.definition, brought_by = excluded.brought_by, brought_at = excluded.brought_at
          where worker_tools.definition <> excluded.definition
          returning 1)
        select pg_notify('${TOOLS_CHANNEL}', $1) where exists (select 1 from kept)`,
      values: [source, worker, tools.map(({ name }) => name), tools.map((tool) => JSON.stringify(tool))],
    });
  }

  async of(source: string): Promise<readonly WorkerToolDefinition[]> {
    const rows = await execute<{ definition: string }>(this.pool, {
      name: 'tools-worker-tools-1',
      text: 'select definition from tools.worker_tools where source = $1 order by tool',
      values: [source],
    });
    return rows.map(({ definition }) => JSON.parse(definition) as WorkerToolDefinition);
  }
}
