// Which executions a query means, as conditions in SQL. Every value is a parameter.
import type { ExecutionQuery } from '@weft/contracts';
import { isUuid, refuse } from '@weft/kernel';
import { firstIdOf } from '../persist/first-id.js';
import { isText } from '@weft/nest-platform';

/** Attributes that one query may ask for. */
export const QUERY_ATTRIBUTES_MAX = 8;
const TEXT_CHARACTERS_MAX = 1024;
// An execution's id is made when its request is accepted, and it begins soon after: within this time unless orchestration was away for longer.
const START_DELAY_MAX_MS = 7 * 86_400_000;
const INSTANT_MAX_MS = 2 ** 47;
/** How a query names a workflow. */
export const WORKFLOW = /^[^/:\0]+\/[^/:\0]+(:[^/:\0]+)?$/;

/** Conditions over `orchestration.executions e`, with the values that they name. */
export interface SearchConditions {
  /** Tables besides, each with its join. */
  readonly joins: string;
  readonly where: string;
  readonly values: readonly unknown[];
  /** `waiting` is not stored: it is running with nothing but waits. Undefined: no matter. */
  readonly isWaiting: boolean | undefined;
}

/** @param from number of the first parameter. @throws Refused `request-invalid`. */
export function searchConditions(query: ExecutionQuery, from: number): SearchConditions {
  const values: unknown[] = [];
  const place = (given: unknown): string => `$${from + values.push(given) - 1}`;
  const [status, isWaiting] = query.status === 'waiting' ? ['running', true] : [query.status, query.status === 'running' ? false : undefined];
  const wheres = [
    ...textConditions({ status, request_id: query.requestId, request_source: query.requestSource, request_type: query.requestType }, place),
    ...workflowConditions(query.workflow, place),
    ...timeConditions(query, place),
    ...parentConditions(query.parent, place),
  ];
  if (query.attributes.length > QUERY_ATTRIBUTES_MAX) refuse('request-invalid', `Expected at most ${QUERY_ATTRIBUTES_MAX} attributes in a query but got ${query.attributes.length}.`);
  const joins = query.attributes.map(({ name, value }, at) => {
    if (name === '') refuse('request-invalid', 'Expected an attribute with a name but its name is empty.');
    const a = `a${at}`;
    return `join orchestration.search_attributes ${a} on ${a}.tenant = e.tenant and ${a}.execution_id = e.id and ${a}.name = ${place(text('attribute', name))} and ${a}.value = ${place(text('attribute', value))}`;
  });
  return { joins: joins.join(' '), where: wheres.length === 0 ? 'true' : wheres.join(' and '), values, isWaiting };
}

type Place = (given: unknown) => string;

const textConditions = (columns: Readonly<Record<string, string>>, place: Place): readonly string[] =>
  Object.entries(columns).flatMap(([column, given]) => (given === '' ? [] : [`e.${column} = ${place(text(column, given))}`]));

function workflowConditions(workflow: string, place: Place): readonly string[] {
  if (workflow === '') return [];
  if (!WORKFLOW.test(text('workflow', workflow))) refuse('request-invalid', `Expected a workflow as namespace/name or namespace/name:version but got ${JSON.stringify(workflow.slice(0, 200))}.`);
  return [workflow.includes(':') ? `e.definition = ${place(workflow)}` : `starts_with(e.definition, ${place(`${workflow}:`)})`];
}

function parentConditions(parent: string, place: Place): readonly string[] {
  if (parent === '') return [];
  if (!isUuid(parent)) refuse('request-invalid', `Expected \`parent\` to be the id of an execution but got ${JSON.stringify(parent.slice(0, 60))}.`);
  return [`e.parent = ${place(parent)}::uuid`];
}

/** Ids are made of the time, so a range of time is a range of ids. */
function timeConditions({ startedFromMs, startedBeforeMs }: ExecutionQuery, place: Place): readonly string[] {
  const conditions: string[] = [];
  if (startedFromMs !== 0) {
    const first = instant('started_from_ms', startedFromMs);
    conditions.push(`e.started_at >= ${place(new Date(first))}`, `e.id >= ${place(firstIdOf(Math.max(0, first - START_DELAY_MAX_MS)))}::uuid`);
  }
  if (startedBeforeMs !== 0) {
    const end = instant('started_before_ms', startedBeforeMs);
    conditions.push(`e.started_at < ${place(new Date(end))}`, `e.id < ${place(firstIdOf(end))}::uuid`);
  }
  return conditions;
}

/** A text of a query, as a column can hold it. @throws Refused `request-invalid`. */
export function text(what: string, given: string): string {
  if (!isText(given) || given.length > TEXT_CHARACTERS_MAX) refuse('request-invalid', `Expected \`${what}\` to be text of at most ${TEXT_CHARACTERS_MAX} characters without NUL.`);
  return given;
}

/** An instant of a query. @throws Refused `request-invalid`. */
export function instant(what: string, given: number): number {
  if (!Number.isFinite(given) || given < 0 || given > INSTANT_MAX_MS) refuse('request-invalid', `Expected \`${what}\` in milliseconds since the Unix epoch but got ${given}.`);
  return given;
}
