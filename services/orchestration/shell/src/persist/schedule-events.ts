// Events that start executions: each counts once by source and id, and is kept until its execution has begun.
import { execute, inTenant, type Pool, type Query } from '@weft/adapter-postgres';
import type { Json } from '@weft/kernel';
import type { StoredSchedule } from './schedule-store.js';

/** An event for a schedule: the filter that it fits and what correlates it. */
export interface ScheduleEvent {
  readonly schedule: StoredSchedule;
  readonly filter: number;
  readonly source: string;
  readonly id: string;
  readonly correlation: string;
  readonly event: Json;
}

/** An execution that events start. */
export interface EventStart {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly executionId: string;
  /** In the order in which they came. */
  readonly events: readonly { readonly source: string; readonly event: Json }[];
}

type TakenRow = Omit<EventStart, 'events'> & { readonly source: string; readonly event: string };

/** Executions in one look at starts that did not happen. */
export const UNSTARTED_PAGE = 200;
/** No filter of a document: what a person triggered. */
const TRIGGERED = -1;

// The oldest event of each filter, if each has one.
const TAKE_SQL = `
with oldest as (
  select distinct on (filter) filter, source, id from orchestration.schedule_events
  where tenant = $1 and namespace = $2 and name = $3 and digest = $4 and correlation = $5 and started_execution is null order by filter, ordinal
)
update orchestration.schedule_events e set started_execution = $6::uuid from oldest o
where (select count(*) from oldest) = $7 and e.tenant = $1 and e.namespace = $2 and e.name = $3 and e.filter = o.filter and e.source = o.source and e.id = o.id`;

const TAKEN_COLUMNS = `tenant, namespace, name, version, digest, started_execution as "executionId", source, event`;
const OF_EXECUTION_SQL = `select ${TAKEN_COLUMNS} from orchestration.schedule_events where tenant = $1 and started_execution = $2::uuid order by ordinal`;
// Whole executions: the events of one may have come hours apart, and it is started with all of them.
const UNSTARTED_SQL = `
select ${TAKEN_COLUMNS} from orchestration.schedule_events where not started and started_execution in (
  select started_execution from orchestration.schedule_events where started_execution > $1::uuid and not started
  group by started_execution having max(received_at) < now() - interval '10 seconds' order by started_execution limit ${UNSTARTED_PAGE}
) order by started_execution, ordinal`;
// The first that asks under a name is the one that counts. It is not taken up by others: whoever asked asks again.
const TRIGGERED_SQL = `
insert into orchestration.schedule_events (tenant, namespace, name, filter, source, id, version, digest, correlation, event, started_execution, started)
values ($1, $2, $3, ${TRIGGERED}, '', $4, $5, $6, '', 'null', $7::uuid, true)
on conflict (tenant, namespace, name, filter, source, id) do update set started = true returning started_execution as "executionId"`;
const KEPT_DAYS = 30;

export class ScheduleEvents {
  constructor(
    private readonly tenantPool: Pool,
    private readonly enginePool: Pool,
  ) {}

  /**
   * Keeps an event, and takes it with those that waited for it once every filter has one. What came before changes nothing.
   * @param filters how many there are to have one. @param executionId of the execution that would begin.
   */
  async keep({ schedule, filter, source, id, correlation, event }: ScheduleEvent, filters: number, executionId: string): Promise<EventStart | undefined> {
    const { tenant, namespace, name, version, digest } = schedule;
    return inTenant(this.tenantPool, tenant, async (query) => {
      // One after the other: two that came at once would each wait for the other.
      await query('select 1 from orchestration.schedules where tenant = $1 and namespace = $2 and name = $3 and kind = $4 for update', [tenant, namespace, name, 'on']);
      const kept = await query(
        `insert into orchestration.schedule_events (tenant, namespace, name, filter, source, id, digest, correlation, event, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning 1`,
        [tenant, namespace, name, filter, source, id, digest, correlation, JSON.stringify(event), version],
      );
      if (kept.length === 0) return undefined;
      await query(TAKE_SQL, [tenant, namespace, name, digest, correlation, executionId, filters]);
      return startOf(await ofExecution(query, tenant, executionId));
    });
  }

  /** The id of the execution that a person triggered under the id of an operation; that given when nobody has. */
  async triggered({ tenant, namespace, name, version, digest }: StoredSchedule, operationId: string, executionId: string): Promise<string> {
    const [row] = await inTenant(this.tenantPool, tenant, (query) => query<{ executionId: string }>(TRIGGERED_SQL, [tenant, namespace, name, operationId, version, digest, executionId]));
    return row!.executionId;
  }

  /** Starts that were decided on some time ago and are not known to have happened: at most `UNSTARTED_PAGE`, in the order of their executions. @param after the last one of the page before. */
  async unstarted(after: string): Promise<readonly EventStart[]> {
    const rows = await execute<TakenRow>(this.enginePool, { name: 'orchestration-schedule-unstarted-2', text: UNSTARTED_SQL, values: [after] });
    return [...Map.groupBy(rows, ({ executionId }) => executionId).values()].flatMap((of) => startOf(of) ?? []);
  }

  /** Their executions are durable: the events are needed no more, only their names. */
  async started(executionIds: readonly string[]): Promise<void> {
    await execute(this.enginePool, {
      name: 'orchestration-schedule-started-1',
      text: `update orchestration.schedule_events set started = true, event = 'null' where started_execution = any($1::uuid[])`,
      values: [executionIds],
    });
  }

  /** Forgets what is older than anybody sends again. */
  async forgetOld(): Promise<void> {
    await execute(this.enginePool, {
      name: 'orchestration-schedule-forget-1',
      text: `delete from orchestration.schedule_events where received_at < now() - interval '${KEPT_DAYS} days'`,
      values: [],
    });
  }
}

const ofExecution = (query: Query, tenant: string, executionId: string): Promise<readonly TakenRow[]> => query<TakenRow>(OF_EXECUTION_SQL, [tenant, executionId]);

function startOf(rows: readonly TakenRow[]): EventStart | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const { tenant, namespace, name, version, digest, executionId } = first;
  return { tenant, namespace, name, version, digest, executionId, events: rows.map(({ source, event }) => ({ source, event: JSON.parse(event) as Json })) };
}
