// The mailbox between replicas: calls that wait for a worker, and results on their way back.
import { execute, type Pool } from '@weft/adapter-postgres';
import { WorkerCall, WorkerResult } from '@weft/contracts';
import type { OfferedCall } from '../workers/worker-call.js';

/** Told when calls of a source wait; payload: the source. */
export const CALLS_CHANNEL = 'tools_worker_calls';
/** Told when a result has come; payload: the id of the call. */
export const RESULTS_CHANNEL = 'tools_worker_results';

/** Room for calls of one tool. */
export interface ToolRoom {
  readonly tool: string;
  readonly digest: string;
  readonly room: number;
}

/** A call that was taken out of the mailbox, with what is left of its time. */
export interface TakenCall {
  readonly offered: OfferedCall;
  readonly timeLeftMs: number;
}

/** What the mailbox knows about a call when it is taken out for good. */
export type CallEnd = { readonly state: 'waiting' | 'taken' } | { readonly state: 'done'; readonly result: WorkerResult };

export class WorkerCallStore {
  constructor(private readonly pool: Pool) {}

  /** Puts calls in and wakes whoever serves their sources. */
  async post(calls: readonly { readonly offered: OfferedCall; readonly timeLeftMs: number }[]): Promise<void> {
    await execute(this.pool, {
      name: 'tools-worker-post-1',
      text: `with posted as (
          insert into tools.worker_calls (id, source, tool, digest, state, call, posted_at, expires_at)
          select id, source, tool, digest, 'waiting', call, clock_timestamp(), clock_timestamp() + left_ms * interval '1 millisecond'
          from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[]) as c(id, source, tool, digest, call, left_ms)
          returning source)
        select pg_notify('${CALLS_CHANNEL}', source) from (select distinct source from posted) as sources`,
      values: [
        calls.map(({ offered }) => offered.id),
        calls.map(({ offered }) => offered.source),
        calls.map(({ offered }) => offered.tool),
        calls.map(({ offered }) => offered.digest),
        calls.map(({ offered }) => JSON.stringify(WorkerCall.toJSON(offered.call))),
        calls.map(({ timeLeftMs }) => timeLeftMs),
      ],
    });
  }

  /** Takes calls out for workers that have room, oldest first. Each call is given to one replica alone. */
  async take(source: string, rooms: readonly ToolRoom[], callsMax: number, leaseMs: number): Promise<readonly TakenCall[]> {
    const rows = await execute<{ id: string; tool: string; digest: string; call: string; left_ms: number }>(this.pool, {
      name: 'tools-worker-take-1',
      text: `with found as (
          select c.id from unnest($2::text[], $3::text[], $4::int[]) as r(tool, digest, room)
          cross join lateral (
            select id, posted_at from tools.worker_calls w
            where w.source = $1 and w.tool = r.tool and w.digest = r.digest and w.state = 'waiting' and w.expires_at > clock_timestamp()
            order by posted_at limit r.room for update skip locked) as c
          order by c.posted_at limit $5)
        update tools.worker_calls w set state = 'taken', lease_until = clock_timestamp() + $6 * interval '1 millisecond'
        from found where w.id = found.id
        returning w.id, w.tool, w.digest, w.call, (extract(epoch from w.expires_at - clock_timestamp()) * 1000)::float8 as left_ms`,
      values: [source, rooms.map(({ tool }) => tool), rooms.map(({ digest }) => digest), rooms.map(({ room }) => room), callsMax, leaseMs],
    });
    return rows.map((row) => ({
      offered: { id: row.id, source, tool: row.tool, digest: row.digest, call: WorkerCall.fromJSON(JSON.parse(row.call)) },
      timeLeftMs: row.left_ms,
    }));
  }

  /** Puts a call back that no worker has seen. */
  async putBack(ids: readonly string[]): Promise<void> {
    await execute(this.pool, {
      name: 'tools-worker-back-1',
      text: `with back as (update tools.worker_calls set state = 'waiting', lease_until = null where id = any($1::uuid[]) and state = 'taken' returning source)
        select pg_notify('${CALLS_CHANNEL}', source) from (select distinct source from back) as sources`,
      values: [ids],
    });
  }

  /** A worker that is connected here still has these calls. Also calls that were handed to it elsewhere: whoever waits for them asks here. */
  async renew(source: string, ids: readonly string[], leaseMs: number): Promise<void> {
    await execute(this.pool, {
      name: 'tools-worker-renew-1',
      text: `insert into tools.worker_calls (id, source, tool, digest, state, call, posted_at, expires_at, lease_until)
        select id, $2, '', '', 'taken', '', clock_timestamp(), clock_timestamp() + interval '1 hour', clock_timestamp() + $3 * interval '1 millisecond' from unnest($1::uuid[]) as i(id)
        on conflict (id) do update set lease_until = excluded.lease_until where worker_calls.state = 'taken' and worker_calls.source = excluded.source`,
      values: [ids, source, leaseMs],
    });
  }

  /** Leaves a result for whoever waits for it, wherever that is. */
  async leaveResult(source: string, result: WorkerResult): Promise<void> {
    await execute(this.pool, {
      name: 'tools-worker-result-1',
      text: `with done as (
          insert into tools.worker_calls (id, source, tool, digest, state, call, result, posted_at, expires_at)
          values ($1, $2, '', '', 'done', '', $3, clock_timestamp(), clock_timestamp() + interval '10 minutes')
          on conflict (id) do update set state = 'done', result = excluded.result where worker_calls.state <> 'done' and worker_calls.source = excluded.source
          returning id)
        select pg_notify('${RESULTS_CHANNEL}', id::text) from done`,
      values: [result.callId, source, JSON.stringify(WorkerResult.toJSON(result))],
    });
  }

  /** Takes out what has an end: a result, or a worker that is gone. `ids`: the calls that somebody here waits for. */
  async collect(ids: readonly string[]): Promise<ReadonlyMap<string, CallEnd>> {
    const rows = await execute<EndRow>(this.pool, {
      name: 'tools-worker-collect-1',
      text: `delete from tools.worker_calls where id = any($1::uuid[]) and (state = 'done' or (state = 'taken' and lease_until < clock_timestamp())) returning id, state, result`,
      values: [ids],
    });
    return new Map(rows.map((row) => [row.id, endOf(row)]));
  }

  /** Takes a call out whatever its state. Undefined: it is not there. */
  async withdraw(id: string): Promise<CallEnd | undefined> {
    const [row] = await execute<EndRow>(this.pool, { name: 'tools-worker-withdraw-1', text: 'delete from tools.worker_calls where id = $1 returning id, state, result', values: [id] });
    return row && endOf(row);
  }

  /** Takes calls out that no worker has. @returns their ids. */
  async takeBack(ids: readonly string[]): Promise<readonly string[]> {
    const rows = await execute<{ id: string }>(this.pool, {
      name: 'tools-worker-unpost-1',
      text: `delete from tools.worker_calls where id = any($1::uuid[]) and state = 'waiting' returning id`,
      values: [ids],
    });
    return rows.map(({ id }) => id);
  }

  /** Which of the calls a worker has that is connected somewhere, or has told about. */
  async held(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await execute<{ id: string }>(this.pool, {
      name: 'tools-worker-held-1',
      text: `select id from tools.worker_calls where id = any($1::uuid[]) and (state = 'done' or lease_until > clock_timestamp())`,
      values: [ids],
    });
    return new Set(rows.map(({ id }) => id));
  }

  /** Removes what nobody has come for. */
  async sweep(): Promise<void> {
    await execute(this.pool, { name: 'tools-worker-sweep-1', text: `delete from tools.worker_calls where expires_at < clock_timestamp() - interval '1 minute'`, values: [] });
  }
}

interface EndRow {
  readonly id: string;
  readonly state: CallEnd['state'];
  readonly result: string | null;
}

function endOf({ state, result }: EndRow): CallEnd {
  return state === 'done' ? { state, result: WorkerResult.fromJSON(JSON.parse(result ?? '{}')) } : { state };
}
