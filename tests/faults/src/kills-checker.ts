// The judge of a run under kills: reads what clients, the outside world and the database saw, and knows nothing of the product.
import { missingStarts, repeatedStarts } from './started-executions.js';
import { foldHistory, type Folded, type HistoryRow } from './history-fold.js';
import type { Receipt } from './receipt-file.js';

/** Everything the judge looks at. */
export interface KillsInput {
  /** Requests that were acknowledged to the client: from then on they must not get lost. */
  readonly requests: readonly AckedRequest[];
  /** Result events in the order they were seen, repeated deliveries included. */
  readonly results: readonly ResultSeen[];
  /** The counting server's file. */
  readonly receipts: readonly Receipt[];
  readonly sql: SqlSeen;
  /** How each tool of the counting server is declared. A tool that is missing here is judged as not idempotent. */
  readonly tools: { readonly [tool: string]: { readonly idempotent: boolean } };
  /** Effects that every completed execution of a request must have had, by tool: distinct (task, iteration) pairs. Not checked for tools left out. */
  readonly effectsPerExecution?: { readonly [tool: string]: number };
  /** What every completed execution of a request must have started, by workflow, and the effects of each of these. Not checked for workflows left out. */
  readonly startsPerExecution?: { readonly [workflow: string]: { readonly executions: number; readonly effects: { readonly [tool: string]: number } } };
}

/** A request as the client knows it. Without an execution id it is found through its result, or through `requestId` of an execution. */
export interface AckedRequest {
  readonly id: string;
  readonly executionId?: string;
}

/** A result event. Deliveries that agree in every field are one result. */
export interface ResultSeen {
  readonly requestId: string;
  readonly status: string;
  readonly executionId?: string;
  readonly outputSha256?: string;
}

/** What the database says after the run has come to rest: rows as they stand, counted by nobody. */
export interface SqlSeen {
  readonly executions: readonly ExecutionSeen[];
  readonly history: readonly HistoryRow[];
  /** Wake-ups that are still set. */
  readonly waits: readonly WaitSeen[];
  /** Commit rows of every service. */
  readonly commits: readonly CommitSeen[];
  /** Leaves of the audit log, each by the commit that it holds. */
  readonly leaves: readonly { readonly service: string; readonly commit: string }[];
  /** Accepted requests whose start would still be delivered again. */
  readonly redeliveries: number;
}

export interface WaitSeen {
  readonly execution: string;
  readonly id: string;
  /** `timer`, `review`, `signal` or `job`. */
  readonly kind: string;
}

export interface CommitSeen {
  readonly service: string;
  readonly id: string;
  readonly published: boolean;
  /** JSON: [[subject, sequence], ...]. */
  readonly members: string;
}

/** One execution at rest. `review` is the kind of the review it waits for, if any. */
export interface ExecutionSeen {
  readonly id: string;
  readonly status: string;
  readonly requestSource?: string;
  /** Of an execution that an event started it holds the id of the event, which begins with the id of the execution that emitted it. */
  readonly requestId?: string;
  /** `namespace/name`. */
  readonly workflow?: string;
  /** The execution whose task started it. */
  readonly parent?: string;
  readonly review?: string;
}

/** The judgement. Each number counts violations, except `executions` and `unknown`. */
export interface KillsVerdict {
  /** Acked requests judged. */
  readonly executions: number;
  /** Acked requests without exactly one end: not terminal, without a result event, or with results that differ. */
  readonly lost: number;
  /** (execution, job, generation) with more than one applied result. */
  readonly appliedTwice: number;
  /** (tool, execution, task, iteration) whose effect happened more than once. */
  readonly effectsTwice: number;
  /** Executions that wait for a person to say what became of an effect: complete, and reported. */
  readonly unknown: number;
  /** Completed executions with too few effects of a tool. */
  readonly effectsMissing: number;
  /** Executions that were to be started by another one, by an event or at a time, and are not there or not over; ends that were not told. */
  readonly startsMissing: number;
  /** Executions that stand for what another one stands for, or that nobody started; children whose end was taken twice or otherwise than it was. */
  readonly startsTwice: number;
  /** Receipts that cannot be judged or should not be: no key, execution, task or iteration, an unknown execution, or a key seen with another body. */
  readonly receiptsMalformed: number;
  /** Timers that are set for executions that are over or do not exist, or that have fired by their history. */
  readonly orphanTimers: number;
  /** Timers that fired twice, before they were due, or without having been set. */
  readonly timersWrong: number;
  /** Executions whose history has a gap, a double, or a row that no commit holds; commits that hold rows which are not there. */
  readonly historyBroken: number;
  /** Executions whose row says another status than their folded history, and events that cannot follow what was before. */
  readonly statusWrong: number;
  /** Commits never published. */
  readonly unpublished: number;
  /** Accepted requests that nobody has taken note of. */
  readonly undelivered: number;
  /** Commits that are not exactly once in the audit log, and leaves of commits that do not exist. */
  readonly auditWrong: number;
  /** The first sentences of every kind of violation, 20 at most. */
  readonly details: readonly string[];
}

/** Statuses that an execution does not leave. */
export const TERMINAL_STATUSES: readonly string[] = ['completed', 'faulted', 'cancelled'];

/** The kind of review that asks what became of an effect whose answer was lost. */
export const EFFECT_OUTCOME_REVIEW = 'effect-outcome';

const DETAILS_MAX = 20;

/** Judges a run. Pure: the same input gives the same verdict. */
export function judge(input: KillsInput): KillsVerdict {
  const { sql } = input;
  const folds = foldsOf(sql);
  const found = {
    lost: lostRequests(input),
    appliedTwice: [...folds.values()].flatMap(({ appliedTwice }) => appliedTwice),
    effectsTwice: repeatedEffects(input),
    effectsMissing: missingEffects(input),
    startsMissing: missingStarts(input),
    startsTwice: repeatedStarts(input),
    receiptsMalformed: malformedReceipts(input),
    orphanTimers: timersWithoutExecution(sql, folds),
    timersWrong: [...folds.values()].flatMap(({ timersWrong }) => timersWrong),
    historyBroken: brokenHistories(sql, folds),
    statusWrong: wrongStatuses(sql, folds),
    auditWrong: wrongLeaves(sql),
  };
  const counts = Object.fromEntries(Object.entries(found).map(([name, sentences]) => [name, sentences.length])) as { readonly [K in keyof typeof found]: number };
  const unpublished = sql.commits.filter((commit) => !commit.published).length;
  const left = [
    unpublished > 0 ? [`Expected every commit to be published, but ${unpublished} are not`] : [],
    sql.redeliveries > 0 ? [`Expected every start to be heard of, but ${sql.redeliveries} would be delivered again`] : [],
  ];
  return {
    executions: new Set(input.requests.map((request) => request.id)).size,
    ...counts,
    unknown: sql.executions.filter(isUnknown).length,
    unpublished,
    undelivered: sql.redeliveries,
    details: firstOfEach([...Object.values(found), ...left]),
  };
}

/** Whether a verdict names no violation. */
export function isClean({ executions: _judged, unknown: _reported, details: _sentences, ...violations }: KillsVerdict): boolean {
  return Object.values(violations).every((count) => count === 0);
}

function foldsOf({ history }: SqlSeen): ReadonlyMap<string, Folded> {
  const rows = groupBy(history, ({ execution }) => execution);
  return new Map([...rows].map(([execution, of]) => [execution, foldHistory(execution, of)]));
}

function lostRequests({ requests, results, sql }: KillsInput): readonly string[] {
  const executions = new Map(sql.executions.map((execution) => [execution.id, execution]));
  const executionsByRequest = groupBy(sql.executions, (execution) => execution.requestId);
  const resultsByRequest = groupBy(results, (result) => result.requestId);
  const ackedByRequest = groupBy(requests, (request) => request.id);
  const requestOfExecution = new Map<string, string>();

  return [...ackedByRequest].flatMap(([id, acks]) => {
    const seen = distinct(resultsByRequest.get(id) ?? []);
    const ids = new Set([
      ...acks.flatMap((ack) => ack.executionId ?? []),
      ...(executionsByRequest.get(id) ?? []).map((execution) => execution.id),
      ...seen.flatMap((result) => result.executionId ?? []),
    ]);
    if (ids.size > 1) return [`Request ${id} has ${ids.size} executions: ${[...ids].join(', ')}`];
    if (seen.length > 1) return [`Request ${id} got ${seen.length} different results: ${seen.map((result) => JSON.stringify(result)).join(' and ')}`];
    const [executionId] = ids;
    const [result] = seen;
    if (executionId === undefined) return result ? [] : [`Request ${id} was acked, but there is neither an execution nor a result`];
    const other = requestOfExecution.get(executionId);
    if (other !== undefined) return [`Request ${id} shares execution ${executionId} with request ${other}`];
    requestOfExecution.set(executionId, id);
    const execution = executions.get(executionId);
    if (!execution) return [`Request ${id} was acked with execution ${executionId}, which is not in the database`];
    if (isUnknown(execution)) return [];
    if (!isTerminal(execution)) return [`Request ${id}: execution ${executionId} is ${execution.status}${execution.review ? ` (review ${execution.review})` : ''} and not over`];
    if (!result) return [`Request ${id}: execution ${executionId} is ${execution.status}, but no result event was seen`];
    if (result.status !== execution.status) return [`Request ${id}: its result says ${result.status}, but execution ${executionId} is ${execution.status}`];
    return [];
  });
}

function repeatedEffects({ receipts, tools }: KillsInput): readonly string[] {
  const groups = groupBy(receipts, (receipt) => (isAttributed(receipt) ? placeOf(receipt) : undefined));
  return [...groups.values()].flatMap((group) => {
    const { tool, execution, task, iteration } = group[0]!;
    // Without a key nobody downstream could have known a repetition for one: each such receipt is an effect of its own.
    const keys = new Set(group.map((receipt) => receipt.key ?? `(no key, receipt ${receipt.receipt})`));
    const where = `${tool} for execution ${execution}, task ${task}, iteration ${iteration}`;
    const numbers = `receipts ${group.map((receipt) => receipt.receipt).join(', ')}`;
    if (tools[tool]?.idempotent) return keys.size > 1 ? [`Effect done under ${keys.size} keys: ${where} (${[...keys].join(' and ')}; ${numbers})`] : [];
    return group.length > 1 ? [`Effect done ${group.length} times: ${where} (${numbers})`] : [];
  });
}

function missingEffects({ requests, receipts, sql, effectsPerExecution = {}, startsPerExecution = {} }: KillsInput): readonly string[] {
  const places = groupBy(receipts.filter(isAttributed), (receipt) => JSON.stringify([receipt.tool, receipt.execution]));
  const asked = new Set(requests.map(({ id }) => id));
  const askedFor = new Set(requests.map(({ executionId }) => executionId));
  const isAsked = ({ id, requestId = '' }: ExecutionSeen): boolean => askedFor.has(id) || asked.has(requestId);
  const completed = sql.executions.filter((execution) => execution.status === 'completed');
  return completed.flatMap((execution) =>
    Object.entries(isAsked(execution) ? effectsPerExecution : (startsPerExecution[execution.workflow ?? '']?.effects ?? {})).flatMap(([tool, wanted]) => {
      const had = new Set((places.get(JSON.stringify([tool, execution.id])) ?? []).map(placeOf)).size;
      return had < wanted ? [`Execution ${execution.id} completed with ${had} of ${wanted} effects of ${tool}`] : [];
    }),
  );
}

function malformedReceipts({ receipts, sql }: KillsInput): readonly string[] {
  const known = new Set(sql.executions.map((execution) => execution.id));
  const bodies = new Map<string, string>();
  return receipts.flatMap((receipt) => {
    const { key, execution, tool } = receipt;
    const where = `Receipt ${receipt.receipt} of ${tool}`;
    if (!isAttributed(receipt)) return [`${where} does not say its execution, task and iteration`];
    if (key === null) return [`${where} has no idempotency key`];
    if (execution !== null && !known.has(execution)) return [`${where} names execution ${execution}, which is not in the database`];
    const name = JSON.stringify([tool, key]);
    const body = bodies.get(name);
    bodies.set(name, body ?? receipt.bodySha256);
    return body !== undefined && body !== receipt.bodySha256 ? [`${where} has another body than an earlier one with key ${key}`] : [];
  });
}

function timersWithoutExecution({ executions, waits }: SqlSeen, folds: ReadonlyMap<string, Folded>): readonly string[] {
  const alive = new Set(executions.filter((execution) => !isTerminal(execution)).map((execution) => execution.id));
  return waits.flatMap(({ execution, id, kind }) => {
    if (!alive.has(execution)) return [`Expected nothing to wake execution ${execution}, which is over or absent, but ${kind} ${id} is set`];
    return kind === 'timer' && !folds.get(execution)?.openTimers.has(id) ? [`Timer ${id} of execution ${execution} is set, but by its history it is not open`] : [];
  });
}

function brokenHistories({ executions, history, commits }: SqlSeen, folds: ReadonlyMap<string, Folded>): readonly string[] {
  const known = new Set(executions.map(({ id }) => id));
  const nameOf = (execution: string, sequence: number): string => `${execution}/${sequence}`;
  const held = new Map<string, string>();
  for (const { service, id, members } of commits) {
    if (service !== 'orchestration') continue;
    for (const [execution, sequence] of JSON.parse(members) as [string, number][]) held.set(nameOf(execution, sequence), id);
  }
  const rows = new Set(history.map(({ execution, sequence }) => nameOf(execution, sequence)));
  return [
    ...[...folds.values()].flatMap(({ broken }) => broken),
    ...executions.filter(({ id }) => !folds.has(id)).map(({ id }) => `Execution ${id} has no history`),
    ...[...folds.keys()].filter((id) => !known.has(id)).map((id) => `There is a history of execution ${id}, which is not in the database`),
    ...history.flatMap(({ execution, sequence, commit }) =>
      held.get(nameOf(execution, sequence)) === commit ? [] : [`Row ${sequence} of execution ${execution} is not held by its commit ${commit}`],
    ),
    ...[...held].flatMap(([row, commit]) => (rows.has(row) ? [] : [`Commit ${commit} holds row ${row}, which is not there`])),
  ];
}

function wrongStatuses({ executions }: SqlSeen, folds: ReadonlyMap<string, Folded>): readonly string[] {
  const differing = executions.flatMap(({ id, status }) => {
    const folded = folds.get(id);
    return folded && folded.status !== (isTerminal({ id, status }) ? status : 'running') ? [`Execution ${id} is ${status}, but ${folded.status} by its history`] : [];
  });
  return [...differing, ...[...folds.values()].flatMap(({ outOfOrder }) => outOfOrder)];
}

function wrongLeaves({ commits, leaves }: SqlSeen): readonly string[] {
  const nameOf = (service: string, id: string): string => `${id} of ${service}`;
  const times = new Map<string, number>();
  for (const { service, commit } of leaves) times.set(nameOf(service, commit), (times.get(nameOf(service, commit)) ?? 0) + 1);
  const known = new Set(commits.map(({ service, id }) => nameOf(service, id)));
  return [
    ...[...known].flatMap((name) => (times.get(name) === 1 ? [] : [`Commit ${name} is ${times.get(name) ?? 0} times in the audit log`])),
    ...[...times.keys()].flatMap((name) => (known.has(name) ? [] : [`The audit log holds commit ${name}, which is not there`])),
  ];
}

const isTerminal = (execution: ExecutionSeen): boolean => TERMINAL_STATUSES.includes(execution.status);

const isUnknown = (execution: ExecutionSeen): boolean => execution.status === 'waiting' && execution.review === EFFECT_OUTCOME_REVIEW;

const isAttributed = (receipt: Receipt): boolean => receipt.execution !== null && receipt.task !== null && receipt.iteration !== null;

const placeOf = ({ tool, execution, task, iteration }: Receipt): string => JSON.stringify([tool, execution, task, iteration]);

function groupBy<T>(list: readonly T[], nameOf: (one: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const name = nameOf(one);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(one);
    else groups.set(name, [one]);
  }
  return groups;
}

function distinct(results: readonly ResultSeen[]): readonly ResultSeen[] {
  return [...new Map(results.map((result) => [JSON.stringify([result.status, result.executionId, result.outputSha256]), result])).values()];
}

/** Takes turns between the lists, so that many violations of one kind do not hide the others. */
function firstOfEach(lists: readonly (readonly string[])[]): readonly string[] {
  const longest = Math.max(...lists.map((list) => list.length));
  const turns = Array.from({ length: Math.min(longest, DETAILS_MAX) }, (_, turn) => lists.flatMap((list) => list[turn] ?? []));
  return turns.flat().slice(0, DETAILS_MAX);
}
