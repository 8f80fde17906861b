// The judge of a run under kills: reads what clients, the outside world and the database saw, and knows nothing of the product.
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
  /** Effects that every completed execution must have had, by tool: distinct (task, iteration) pairs. Not checked for tools left out. */
  readonly effectsPerExecution?: { readonly [tool: string]: number };
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

/** What the database says after the run has come to rest. */
export interface SqlSeen {
  readonly executions: readonly ExecutionSeen[];
  /** How many history entries apply a result of each (execution, job, generation). */
  readonly resultsApplied: readonly { readonly execution: string; readonly job: string; readonly generation: number; readonly count: number }[];
  /** Timers and other wake-ups that are still set. */
  readonly openTimers: readonly { readonly execution: string; readonly timer?: string }[];
  readonly unpublishedCommits: number;
}

/** One execution at rest. `review` is the kind of the review it waits for, if any. */
export interface ExecutionSeen {
  readonly id: string;
  readonly status: string;
  readonly requestId?: string;
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
  /** Receipts that cannot be judged or should not be: no key, execution, task or iteration, an unknown execution, or a key seen with another body. */
  readonly receiptsMalformed: number;
  /** Timers of executions that are over or do not exist. */
  readonly orphanTimers: number;
  /** Commits never published. */
  readonly unpublished: number;
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
  const lost = lostRequests(input);
  const appliedTwice = resultsAppliedTwice(input.sql);
  const effectsTwice = repeatedEffects(input);
  const effectsMissing = missingEffects(input);
  const receiptsMalformed = malformedReceipts(input);
  const orphanTimers = timersWithoutExecution(input.sql);
  const unpublished = input.sql.unpublishedCommits;
  const unpublishedSentence = unpublished > 0 ? [`Expected every commit to be published, but ${unpublished} are not`] : [];
  return {
    executions: new Set(input.requests.map((request) => request.id)).size,
    lost: lost.length,
    appliedTwice: appliedTwice.length,
    effectsTwice: effectsTwice.length,
    unknown: input.sql.executions.filter(isUnknown).length,
    effectsMissing: effectsMissing.length,
    receiptsMalformed: receiptsMalformed.length,
    orphanTimers: orphanTimers.length,
    unpublished,
    details: firstOfEach([lost, appliedTwice, effectsTwice, effectsMissing, receiptsMalformed, orphanTimers, unpublishedSentence]),
  };
}

/** Whether a verdict names no violation. */
export function isClean(verdict: KillsVerdict): boolean {
  const { lost, appliedTwice, effectsTwice, effectsMissing, receiptsMalformed, orphanTimers, unpublished } = verdict;
  return lost + appliedTwice + effectsTwice + effectsMissing + receiptsMalformed + orphanTimers + unpublished === 0;
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

function resultsAppliedTwice({ resultsApplied }: SqlSeen): readonly string[] {
  const groups = groupBy(resultsApplied, ({ execution, job, generation }) => JSON.stringify([execution, job, generation]));
  return [...groups.values()].flatMap((rows) => {
    const count = rows.reduce((sum, row) => sum + row.count, 0);
    const { execution, job, generation } = rows[0]!;
    return count > 1 ? [`Execution ${execution}: ${count} results applied for job ${job}, generation ${generation}`] : [];
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

function missingEffects({ receipts, sql, effectsPerExecution = {} }: KillsInput): readonly string[] {
  const places = groupBy(receipts.filter(isAttributed), (receipt) => JSON.stringify([receipt.tool, receipt.execution]));
  const completed = sql.executions.filter((execution) => execution.status === 'completed');
  return Object.entries(effectsPerExecution).flatMap(([tool, wanted]) =>
    completed.flatMap(({ id }) => {
      const had = new Set((places.get(JSON.stringify([tool, id])) ?? []).map(placeOf)).size;
      return had < wanted ? [`Execution ${id} completed with ${had} of ${wanted} effects of ${tool}`] : [];
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

function timersWithoutExecution({ executions, openTimers }: SqlSeen): readonly string[] {
  const alive = new Set(executions.filter((execution) => !isTerminal(execution)).map((execution) => execution.id));
  return openTimers.filter((timer) => !alive.has(timer.execution)).map(({ execution, timer }) => `Timer ${timer ?? ''} of execution ${execution} is set, but the execution is over or absent`);
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
