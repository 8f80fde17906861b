// Effects as their tenant sees them: row-level security decides what is visible.
import { inTenant, type Pool } from '@weft/adapter-postgres';
import type { EffectDetail, EffectPage, EffectStep, EffectSummary, ListEffectsRequest } from '@weft/contracts';
import { isUuid, refuse } from '@weft/kernel';
import { decodeCursor, encodeCursor, isText, pageLimit } from '@weft/nest-platform';
import type { EffectEvent } from '@weft/tools/core';

const COLUMNS = `key, execution_id, pointer, iteration, generation, tool, effect, state, attempts, structure,
  (extract(epoch from dispatched_at) * 1000)::float8 as dispatched_ms, (extract(epoch from recorded_at) * 1000)::float8 as recorded_ms`;

interface EffectRow {
  readonly key: string;
  readonly execution_id: string;
  readonly pointer: string;
  readonly iteration: string;
  readonly generation: number;
  readonly tool: string;
  readonly effect: string;
  readonly state: string;
  readonly attempts: number;
  readonly structure: string;
  readonly dispatched_ms: number;
  readonly recorded_ms: number;
}

interface WholeEffectRow extends EffectRow {
  readonly request: string | null;
  readonly response: string | null;
}

const STATES: readonly string[] = ['dispatched', 'confirmed', 'failed', 'unknown'];
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Payload columns that were erased read as null; so do those that were never written. */
export class EffectQueries {
  /** @param pool of the tenant role. */
  constructor(private readonly pool: Pool) {}

  /** A page, the newest executions first. @throws Refused `request-invalid`. */
  async list(tenant: string, { limit, cursor, state, executionId, tool }: ListEffectsRequest): Promise<EffectPage> {
    if (state !== '' && !STATES.includes(state)) refuse('request-invalid', `Expected a state of ${STATES.join(', ')} but got ${JSON.stringify(state.slice(0, 60))}.`);
    if (executionId !== '' && !isUuid(executionId)) refuse('request-invalid', 'Expected the id of an execution but it is no UUID.');
    const [afterExecution = LAST_ID, afterKey = ''] = decodeCursor(cursor, isUuid, isText);
    const size = pageLimit(limit);
    // A key without a place after it is the first of the page.
    const where = `(execution_id < $1::uuid or (execution_id = $1::uuid and key > $2)) and ($3 = '' or state = $3) and ($4 = '' or execution_id::text = $4) and ($5 = '' or tool = $5)`;
    const rows = await inTenant(this.pool, tenant, (query) =>
      query<EffectRow>(`select ${COLUMNS} from tools.effects where ${where} order by execution_id desc, key limit $6`, [afterExecution, afterKey, state, executionId.toLowerCase(), tool, size + 1]),
    );
    const page = rows.slice(0, size);
    const last = page.at(-1);
    return { effects: page.map(summaryOf), nextCursor: rows.length > size && last ? encodeCursor([last.execution_id, last.key]) : '' };
  }

  /** One effect with every decision about it. @throws Refused `unknown-effect`. */
  async show(tenant: string, key: string): Promise<EffectDetail> {
    const rows = isText(key) ? await inTenant(this.pool, tenant, (query) => query<WholeEffectRow>(`select ${COLUMNS}, request, response from tools.effects where key = $1`, [key])) : [];
    const [row] = rows;
    if (!row) return refuse('unknown-effect', 'Expected the idempotency key of an effect of this tenant but the ledger has none such.');
    return { effect: summaryOf(row), steps: eventsOf(row).map(stepOf), requestJson: row.request ?? '', responseJson: row.response ?? '' };
  }
}

// What steers is enough here: payload fields of events are not read.
const eventsOf = ({ structure }: EffectRow): readonly EffectEvent[] => structure.split('\n').flatMap((line) => JSON.parse(line) as EffectEvent[]);

function summaryOf(row: EffectRow): EffectSummary {
  const last = eventsOf(row).at(-1);
  return {
    key: row.key,
    executionId: row.execution_id,
    pointer: row.pointer,
    iteration: row.iteration,
    generation: row.generation,
    tool: row.tool,
    effect: row.effect,
    state: row.state,
    attempts: row.attempts,
    dispatchedAtMs: row.dispatched_ms,
    recordedAtMs: row.recorded_ms,
    settledBy: last && 'by' in last ? last.by : '',
    person: (last && 'person' in last ? last.person : undefined) ?? '',
  };
}

const WHAT: Readonly<Record<EffectEvent['type'], string>> = { EffectDispatched: 'dispatched', EffectConfirmed: 'confirmed', EffectFailed: 'failed', AnswerLost: 'answer-lost' };

function stepOf(event: EffectEvent): EffectStep {
  return { what: WHAT[event.type], atMs: event.at, attempt: 'attempt' in event ? event.attempt : 0, by: 'by' in event ? event.by : '', person: ('person' in event ? event.person : undefined) ?? '' };
}
