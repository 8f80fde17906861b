// What must hold once everything has healed and come to rest. Numbers are those of the fault matrix.
import { announcementsOf, foldExecution, initialExecution, isEnded, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import { leafHash, merkleRoot, sameBytes } from '@weft/tlog';
import type { Client } from './client.js';
import type { Operator } from './operator.js';
import type { ExecutionRow } from './execution-table.js';
import type { Happened } from './receiver.js';
import { nameOf } from './routing.replica.js';
import { isGuarded } from './tools.replica.js';
import { entryOf } from './sequencer.replica.js';
import type { World } from './world.js';

/** Whether nothing is left to be done: all ended, told, logged and acknowledged. */
export function isAtRest(world: World, client: Client, operator: Operator): boolean {
  const { executions, requests, bus } = world;
  if (operator.pending > 0) return false;
  for (const { state } of executions.rows.values()) if (!isEnded(state)) return false;
  for (const { id } of client.asked.values()) if (!requests.rows.has(nameOf({ id }))) return false;
  for (const { execution, status, redeliverAt } of requests.rows.values()) {
    if (redeliverAt !== undefined) return false;
    if (status === 'accepted' && !isEnded(executions.rows.get(execution)?.state ?? initialExecution)) return false;
  }
  return bus.backlog === 0 && world.allCommits().every(({ published, sequenced }) => published && sequenced !== undefined);
}

/** Judges a world that has come to rest, or has not in its time. */
export function checkEnd(world: World, client: Client, operator: Operator, isRested: boolean): void {
  if (!isRested) world.watch.violate(`I10: no rest after the heal: ${unrest(world, client)}, operations ${operator.pending}`);
  checkRequests(world, client);
  for (const row of world.executions.rows.values()) checkExecution(world, row, operator.disturbed.has(row.id));
  for (const complaint of world.receiver.complaints) world.watch.violate(`I5: ${complaint}`);
  checkPoison(world);
  if (isRested) checkLog(world);
}

function unrest(world: World, client: Client): string {
  const { executions, requests, bus } = world;
  const missing = [...client.asked.keys()].filter((id) => !requests.rows.has(nameOf({ id })));
  const running = [...requests.rows.values()]
    .filter(({ execution, status }) => status === 'accepted' && !isEnded(executions.rows.get(execution)?.state ?? initialExecution))
    .map(({ execution }) => `${execution} ${standing(executions.rows.get(execution)?.state)}`);
  const commits = world.allCommits();
  return JSON.stringify({
    requestsMissing: missing,
    running,
    redeliveries: [...requests.rows.values()].filter(({ redeliverAt }) => redeliverAt !== undefined).length,
    backlog: bus.backlog,
    unpublished: commits.filter(({ published }) => !published).length,
    unsequenced: commits.filter(({ sequenced }) => sequenced === undefined).length,
  });
}

/** Where an execution stands: its activations, and what they wait for. */
function standing(state: ExecutionState | undefined): string {
  if (!state) return 'has not begun';
  const { activations, jobs, timers, reviews, listens, children = {} } = state;
  const waits = { jobs, timers, reviews, listens, children };
  const waiting = Object.entries(waits).flatMap(([kind, entries]) => Object.keys(entries).map((id) => `${kind} ${id}`));
  return `in ${Object.keys(activations).at(-1) || 'the workflow'} waits for ${waiting.join(', ') || 'nothing'}`;
}

/** I1: one distinct result for each request, one more for each time that a person had an execution go on, and none besides. */
function checkRequests({ requests, bus, executions, watch }: World, client: Client): void {
  const results = new Map<string, Set<string>>();
  for (const { id, body } of bus.published('results')) {
    const { execution } = body as { readonly execution: string };
    const ids = results.get(execution) ?? new Set();
    results.set(execution, ids.add(`${id} ${JSON.stringify(body)}`));
  }
  const requested = new Map([...requests.rows.values()].map((row) => [row.execution, row]));
  for (const { execution, name, status } of requested.values()) {
    const ends = status === 'refused' ? 1 : Math.max(1, endsOf(executions, execution));
    const count = results.get(execution)?.size ?? 0;
    if (count !== ends) watch.violate(`I1: request ${name.split('\n')[1]} ended ${ends} times and has ${count} distinct results: ${[...(results.get(execution) ?? [])].join(', ')}`);
  }
  for (const [id, execution] of client.accepted) if (requests.rows.get(nameOf({ id }))?.execution !== execution) watch.violate(`I8: request ${id} was accepted as ${execution}, which is not stored`);
  for (const execution of new Set([...results.keys(), ...executions.rows.keys()]))
    if (!requested.has(execution) && !executions.rows.get(execution)?.state.from && !executions.rows.get(execution)?.state.parent) watch.violate(`I1: execution ${execution} belongs to no request`);
}

const ENDS: ReadonlySet<ExecutionEvent['type']> = new Set(['ExecutionCompleted', 'ExecutionFaulted', 'ExecutionCancelled', 'ExecutionTerminated']);

/** How often an execution ended: more than once when it was retried. */
const endsOf = (executions: World['executions'], execution: string): number =>
  executions
    .historyOf(execution)
    .flatMap(({ events }) => events.slice(events[0]?.type === 'ExecutionStarted' ? (events[0].carried ?? 0) : 0))
    .filter(({ type }) => ENDS.has(type)).length;

function checkExecution(world: World, row: ExecutionRow, isDisturbed: boolean): void {
  const { executions, watch } = world;
  const rows = executions.store.histories.get(row.id) ?? [];
  const sequences = rows.map(({ sequence }) => sequence).sort((left, right) => left - right);
  if (sequences.some((sequence, index) => sequence !== index)) return watch.violate(`I4: history of ${row.id} has sequences ${sequences.join(' ')}`);
  const decisions = rows.toSorted((left, right) => left.sequence - right.sequence).map((stored) => executions.store.decode(stored));
  const events = decisions.flat();
  let state: ExecutionState;
  try {
    state = foldExecution(initialExecution, events);
  } catch (defect) {
    return watch.violate(`I2: history of ${row.id} does not fold: ${String(defect)}`);
  }
  if (JSON.stringify(state) !== JSON.stringify(row.state)) watch.violate(`I2: the state of ${row.id} is not the fold of its history`);
  if (isEnded(state) && (executions.waits.get(row.id)?.size ?? 0) > 0) watch.violate(`I6: ${row.id} has ended and wait rows remain`);
  for (const review of executions.reviews.values()) if (review.execution === row.id && isEnded(state)) watch.violate(`I6: ${row.id} has ended and review ${review.id} is open`);
  checkTold(world, state, decisions);
  checkReviews(world, row.id, events);
  checkEffects(world, row.id, state, events, isDisturbed);
}

/** S5: where several must approve, so many different people did. */
function checkReviews({ watch }: World, execution: string, events: readonly ExecutionEvent[]): void {
  const needed = new Map<string, number>();
  const people = new Map<string, Set<string>>();
  for (const event of events) {
    if (event.type === 'ReviewRequested') {
      needed.set(event.review, event.terms?.approvals ?? 1);
      people.set(event.review, new Set());
    }
    if (event.type === 'ReviewChanged' && event.change === 'approved') people.get(event.review)?.add(event.by);
    if (event.type !== 'ReviewDecided' || event.outcome !== 'approved') continue;
    const approved = people.get(event.review)?.add(event.decidedBy).size ?? 0;
    if (approved < (needed.get(event.review) ?? 1)) watch.violate(`S5: review ${event.review} of ${execution} needs ${needed.get(event.review)} people and ${approved} approved it`);
  }
}

/** I7: what was decided was told, under its own ids. */
function checkTold({ bus, watch }: World, state: ExecutionState, decisions: readonly (readonly ExecutionEvent[])[]): void {
  const told = new Set([...bus.published('results'), ...bus.published('lifecycle'), ...bus.published('commands')].map(({ id }) => id));
  decisions.forEach((events, sequence) => {
    for (const { id } of announcementsOf(state, sequence, events)) if (!told.has(id)) watch.violate(`I7: announcement ${id} was never published`);
  });
}

/** I5, by the receiver's own count: each running of a task has its effect once, and exactly when its result says so. */
function checkEffects(world: World, execution: string, state: ExecutionState, events: readonly ExecutionEvent[], wasOperated: boolean): void {
  const { receiver, watch } = world;
  const definition = world.definitionOf(state);
  const byJob = new Map<string, Happened[]>();
  for (const happened of receiver.happened.values()) {
    if (happened.execution !== execution) continue;
    byJob.set(happened.job, [...(byJob.get(happened.job) ?? []), happened]);
  }
  let isDisturbed = wasOperated;
  const [first] = events;
  // What a fork carries happened in the execution that it comes from.
  const carried = first?.type === 'ExecutionStarted' ? (first.carried ?? 0) : 0;
  const carriedJobs = new Set(events.slice(0, carried).flatMap((event) => (event.type === 'JobScheduled' ? [event.job] : [])));
  for (const event of events.slice(carried)) {
    if (event.type === 'JobCompleted') {
      const amount = (event.output as { readonly amount?: number } | null)?.amount;
      const times = timesOf(byJob.get(event.job));
      if (amount !== undefined && times !== 1 && !carriedJobs.has(event.job)) watch.violate(`I5: ${event.job} completed and its effect happened ${times} times`);
    }
    if (event.type === 'JobFailed') {
      const { details } = event.failure as { readonly details?: { readonly status?: number } };
      if (event.next === 'raise' && (details?.status !== 422 || event.outcome !== 'failed')) isDisturbed = true;
      if (event.outcome === 'failed' && receiver.happened.has(`default/${event.job}/${event.generation}`))
        watch.violate(`I5: ${event.job} is known not to have happened in generation ${event.generation}, but it did`);
    }
  }
  const approved = new Set(events.slice(carried).flatMap((event) => (event.type === 'ActionApproved' ? [`${event.job} ${event.digest}`] : [])));
  for (const [job, happened] of byJob)
    for (const { body } of happened) if (isGuarded(Number(body.split('+').at(-1))) && !approved.has(`${job} ${body}`)) watch.violate(`S2: ${job} did ${body} and nobody approved it`);
  const sums = new Map<string, number>();
  for (const { counter, amount } of [...byJob.values()].flat()) sums.set(counter, (sums.get(counter) ?? 0) + amount);
  for (const [counter, most] of definition.agentBounds)
    if ((sums.get(counter) ?? 0) > most) watch.violate(`I5: counter ${counter} of an agent of ${execution} is ${sums.get(counter)}, above ${most}: a call was made again`);
  for (const [job, happened] of byJob) if (timesOf(happened) > 1) watch.violate(`I5: the effect of ${job} happened ${timesOf(happened)} times under ${happened.length} keys`);
  if (isDisturbed || !isEnded(state)) return;
  // Given up by who started it: nobody waits for it any more.
  if (state.parent && state.status === 'cancelled') return checkStopped(world, state);
  const expected = definition.expected((state.input as { readonly total: number }).total);
  const total = (state.output as { readonly total?: number } | undefined)?.total;
  if (state.status !== expected.status || total !== expected.total) watch.violate(`I2: ${execution} ended ${state.status} with total ${total} instead of ${expected.status} with ${expected.total}`);
  for (const counter of new Set([...sums.keys(), ...expected.sums.keys()])) {
    if (!expected.loose.has(counter) && sums.get(counter) !== expected.sums.get(counter))
      watch.violate(`I5: counter ${counter} of ${execution} is ${sums.get(counter)} instead of ${expected.sums.get(counter)}`);
  }
}

const timesOf = (happened: readonly Happened[] | undefined): number => (happened ?? []).reduce((sum, { times }) => sum + times, 0);

/** I11: what nobody could read was set aside, each message. */
function checkPoison({ bus, watch }: World): void {
  const dead = new Set(bus.published('dead').map(({ id }) => id));
  for (const { id, body } of bus.published('commands')) if (body === 'poison' && !dead.has(id) && !bus.lost.has(id)) watch.violate(`I11: message ${id} cannot be read and was not set aside`);
}

/** I14: every commit is one leaf of the log, and the root is that of the leaves. */
function checkLog(world: World): void {
  const { log, watch } = world;
  const places = new Map<string, number[]>();
  log.leaves.forEach(({ commit }, index) => places.set(commit, [...(places.get(commit) ?? []), index]));
  const commits = world.allCommits();
  for (const commit of commits) {
    const found = places.get(commit.id) ?? [];
    if (found.length !== 1 || found[0] !== commit.sequenced) watch.violate(`I14: commit ${commit.id} of ${commit.service} is in the log at [${found.join(' ')}] and marked at ${commit.sequenced}`);
    else if (!sameBytes(log.leaves[found[0]!]!.entry, entryOf(commit))) watch.violate(`I14: leaf ${found[0]} is not what commit ${commit.id} holds`);
  }
  const root = merkleRoot(log.leaves.map(({ entry }) => leafHash(entry)));
  if (log.leaves.length !== commits.length || log.edge.head.size !== log.leaves.length || !sameBytes(root, log.edge.head.root))
    watch.violate(`I14: the log has ${log.leaves.length} leaves for ${commits.length} commits, or another root`);
}

/** What was stopped was given up by who started it, and nobody waits for it. */
function checkStopped({ executions, watch }: World, { executionId, parent }: ExecutionState): void {
  if (executions.rows.get(parent!.execution)?.state.children?.[executionId]) watch.violate(`I2: ${executionId} is stopped and its parent waits for it`);
}
