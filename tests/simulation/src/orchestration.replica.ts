// One orchestration process: the real spine and core; what its shell does around them, by the same rules.
import { bucketOf, uuidv7, type Instant } from '@weft/kernel';
import {
  announcementsOf,
  childrenAgain,
  endedAgain,
  ENGINE_FLAGS,
  effectsBetween,
  foldExecution,
  initialExecution,
  isEnded,
  isInShare,
  isLong,
  outstandingJobs,
  THIS_RELEASE,
  type Announcement,
  type ChildBeginning,
  type CommandOf,
  type EngineRelease,
  type ExecutionCommand,
  type ExecutionEvent,
  type ExecutionFacts,
  type ExecutionState,
  type OutstandingJob,
} from '@weft/orchestration/core';
import { Lanes, type Item, type Outcome } from '@weft/pipeline';
import type { Message } from './bus.js';
import type { CommitRecord } from './commit-rows.js';
import { programOf } from './definition.js';
import type { Job, Sent } from './job.js';
import { isAskedAgain } from './execution-table.js';
import type { ExecutionCommit } from './parts.js';
import { Presence } from './presence.js';
import type { Process } from './process.js';
import type { Random } from './random.js';
import { historyPort, requireHere } from './store-port.js';
import type { World } from './world.js';

/** Hands jobs to a peer; each result is reported by itself. */
export type CallPeer = (from: Process, service: 'tools' | 'memory' | 'validation', jobs: readonly Job[], report: (commands: readonly Sent[]) => void) => void;

/** Replicas start executions as this release and as older ones did, so that a world mixes them. */
const releaseOf = (random: Random): EngineRelease => (ENGINE_FLAGS.length === 0 ? THIS_RELEASE : { ...THIS_RELEASE, starts: THIS_RELEASE.starts.slice(0, random.between(0, ENGINE_FLAGS.length)) });

const SERVICE_OF: Readonly<Record<string, 'tools' | 'memory' | 'validation'>> = { tool: 'tools', http: 'tools', recall: 'memory', remember: 'memory', validate: 'validation' };

const POLL_MS = 250;
const SWEEP_MS = 5_000;
const TAKE_OVER_SILENT_MS = 2_000;
const UNPUBLISHED_MS = 2_000;
const MARK_MS = 400;
const REDISPATCH_LOOK_MS = 500;
const REDISPATCH_MIN_MS = 2_000;
const REDISPATCH_MAX_MS = 60_000;
const OWN_TIMER_MAX_MS = 5_000;

export class OrchestrationReplica {
  readonly #lanes: Lanes<ExecutionState, ExecutionCommand, ExecutionEvent, never>;
  readonly #cache;
  readonly #expected = new Map<string, { at: Instant; waitMs: number }>();
  readonly #told: string[] = [];
  readonly #telling = new Set<string>();
  readonly #walk = { lastSeen: '' };
  readonly #presence: Presence;
  #isFirstSweep = true;

  constructor(
    private readonly world: World,
    readonly process: Process,
    private readonly callPeer: CallPeer,
  ) {
    const { parts, random, executions } = world;
    this.#cache = parts.executionCache(random.pick([2, 8, 1_000]));
    this.#lanes = new Lanes(
      {
        decider: parts.executionDecider(programOf, releaseOf(random)),
        store: parts.executionPort(historyPort(world, process, executions.store), this.#cache),
        cache: this.#cache,
        clock: process,
        newCommitId: (now) => uuidv7(now, random.bytes(10)),
        publish: (commit) => this.#publish(commit),
      },
      { batchMax: random.pick([1, 4, 128]), pause: (ms) => process.pauseFor(ms, 'lane pauses') },
    );
    this.#presence = new Presence(world, process, () => {
      this.#lookFor(TAKE_OVER_SILENT_MS);
      this.#publishUnpublished();
    });
    this.#loops();
  }

  /** Takes commands off the bus: what cannot be read is set aside, and the rest is decided. */
  readonly handle = (batch: readonly Message[]): Promise<void> => this.world.parts.take(batch, (messages) => this.#handle(messages));

  submit(items: readonly Item<ExecutionCommand>[]): Promise<readonly Outcome[]> {
    this.world.watch.commands += items.length;
    return this.#lanes.submit(items);
  }

  /** Takes results straight from a worker. */
  readonly report = (commands: readonly Sent[]): void => {
    this.submit(commands.map(itemOf)).then(
      (outcomes) => this.#defects(outcomes),
      () => undefined,
    );
  };

  async #handle(messages: readonly Message[]): Promise<void> {
    const readable: Sent[] = [];
    for (const message of messages) {
      if (isSent(message.body)) readable.push(message.body);
      else if (isForking(message.body)) readable.push(await this.#readFork(message.id, message.body));
      else await this.world.parts.setAside(message, (letter) => this.process.ask('set aside', () => void this.world.bus.put('dead', letter)));
    }
    const outcomes = await this.submit(readable.map(itemOf));
    this.#defects(outcomes);
    // Whoever asks again has not heard that the execution began.
    const begun = readable.flatMap(({ command, execution }, index) => (command.type === 'StartExecution' && outcomes[index]?.kind === 'ignored' ? [`${execution}/0/0`] : []));
    await this.#announce(begun.map((id) => ({ topic: 'lifecycle', message: { id, key: id.split('/')[0]!, body: null } })));
    await this.#endAgain(readable.filter((_sent, index) => outcomes[index]?.kind === 'ignored'));
  }

  /** A child that is told to begin once more, and has ended, says so again. */
  async #endAgain(told: readonly Sent[]): Promise<void> {
    const awaited = told.flatMap(({ command, execution }) => (command.type === 'StartExecution' && command.parent?.isAwaited ? [execution] : []));
    if (awaited.length === 0) return;
    const states = await this.#statesOf(awaited);
    await this.#announce(states.filter(isEnded).flatMap((state) => endedAgain(state).map((announcement) => messageOf(state, announcement))));
  }

  /** A fork names the history that it starts from; the command brings it along. */
  async #readFork(id: string, { execution, forkFrom, reason }: Forking): Promise<Sent> {
    const { executions, schedule } = this.world;
    const rows = await this.process.ask('load to fork', () => {
      requireHere(executions.store, schedule);
      return executions.historyOf(forkFrom.execution);
    });
    const events = rows.flatMap((row) => (row.sequence <= forkFrom.version ? row.events : []));
    return { id, execution, command: { type: 'BeginFork', executionId: execution, from: forkFrom, reason, events } };
  }

  #defects(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) if (outcome.kind === 'setAside') this.world.watch.violate(`defect: a command is set aside: ${String(outcome.fault)}`);
  }

  async #publish(commit: ExecutionCommit): Promise<void> {
    const jobs: Job[] = [];
    for (const { key, before, after } of commit.decisions) {
      const { dispatch, park } = effectsBetween(before, after);
      for (const job of dispatch) jobs.push(this.world.parts.jobOf(after, job));
      for (const wait of park) if (!isAskedAgain(wait.kind) && wait.due !== undefined) this.#ownTimer(key, wait.id, wait.due);
      if (outstandingJobs(after).some((job) => !isLong(job))) this.#expect(key, commit.at);
      else this.#expected.delete(key);
      if (isEnded(after)) this.#cache.drop(key);
    }
    await Promise.all([this.#tell(commit), this.#dispatch(jobs)]);
  }

  async #tell(commit: ExecutionCommit): Promise<void> {
    const messages = commit.decisions.flatMap(({ before, after, sequence, events }) => messagesOf(after, sequence, events, before));
    this.#telling.add(commit.id);
    try {
      await this.world.parts.tell(
        () => this.#announce(messages),
        () => this.#told.push(commit.id),
      );
    } finally {
      this.#telling.delete(commit.id);
    }
  }

  async #announce(messages: readonly Announced[]): Promise<number> {
    const { bus, chaos } = this.world;
    for (const topic of ['results', 'lifecycle', 'commands']) {
      await bus.publish(
        this.process,
        topic,
        messages.filter((message) => message.topic === topic).map(({ message }) => message),
      );
    }
    if (messages.length > 0 && chaos.strikes('crash-after-publish')) {
      this.process.crash();
      return new Promise(() => undefined);
    }
    return messages.length;
  }

  async #dispatch(jobs: readonly Job[]): Promise<void> {
    const long = jobs.filter(isLong);
    for (const service of ['tools', 'memory', 'validation'] as const) {
      const quick = jobs.filter((job) => SERVICE_OF[job.kind] === service && !isLong(job));
      if (quick.length > 0) this.callPeer(this.process, service, quick, this.report);
    }
    await this.world.bus.publish(
      this.process,
      'jobs',
      long.map((job) => ({ id: `${job.id}/${job.generation}/${job.attempt}`, key: job.execution, body: job })),
    );
  }

  #expect(execution: string, at: Instant): void {
    this.#expected.set(execution, { at, waitMs: REDISPATCH_MIN_MS });
  }

  #ownTimer(execution: string, timer: string, due: Instant): void {
    const { chaos, random } = this.world;
    let waitMs = due - this.process.now();
    if (waitMs > OWN_TIMER_MAX_MS || chaos.strikes('timer-lost')) return;
    if (chaos.strikes('timer-early')) waitMs = random.between(0, Math.max(0, waitMs));
    this.process.later(Math.max(0, waitMs) + 1, `own timer ${timer}`, () => this.#fire([{ execution, id: timer }]));
  }

  #fire(due: readonly { readonly execution: string; readonly id: string }[]): void {
    if (due.length === 0) return;
    this.submit(due.map(({ execution, id }) => ({ key: execution, command: { type: 'FireTimer', timer: id }, messageId: `timer/${execution}${id}` }))).then(
      (outcomes) => this.#defects(outcomes),
      () => undefined,
    );
  }

  #loops(): void {
    const { process, world } = this;
    const { random } = world;
    process.every(POLL_MS * random.between(1, 4), () => this.#poll());
    process.later(200, '', () => this.#sweep());
    process.every(UNPUBLISHED_MS, () => this.#publishUnpublished());
    process.every(MARK_MS, () => this.#mark());
    process.every(REDISPATCH_LOOK_MS, () => this.#redispatch(this.#overdue()));
  }

  #poll(): void {
    const { executions, schedule, parts } = this.world;
    if (schedule.now < executions.store.awayUntil) return;
    const due = executions.claimDue(schedule.now, parts.due, 50);
    this.#fire(due.filter(({ kind }) => !isAskedAgain(kind)));
    this.#redispatch(due.filter(({ kind }) => isAskedAgain(kind)).map(({ execution }) => execution));
  }

  #sweep(): void {
    const isAlone = this.#presence.isAlone();
    if (this.world.schedule.now >= this.world.executions.store.awayUntil) {
      this.#lookFor(this.#isFirstSweep && isAlone === true ? 0 : SWEEP_MS);
      if (isAlone !== undefined) this.#isFirstSweep = false;
    }
    this.process.later(SWEEP_MS, '', () => this.#sweep());
  }

  /** Dispatches the jobs of silent executions of this process's share again. What it watches itself has its own time. */
  #lookFor(silentMs: number): void {
    const { executions, schedule, parts } = this.world;
    const share = this.#presence.share();
    const silent = executions.silent(schedule.now, silentMs, false).filter((id) => isInShare(share, bucketOf(id)) && !this.#expected.has(id));
    this.#redispatch(parts.silent(silent));
  }

  #overdue(): readonly string[] {
    const now = this.process.now();
    const overdue = [...this.#expected].filter(([, { at, waitMs }]) => now - at >= waitMs);
    for (const [execution, { waitMs }] of overdue) this.#expected.set(execution, { at: now, waitMs: Math.min(waitMs * 2, REDISPATCH_MAX_MS) });
    return this.world.parts.silent(overdue.map(([execution]) => execution));
  }

  #redispatch(executions: readonly string[]): void {
    if (executions.length === 0) return;
    this.#statesOf(executions)
      .then((states) => {
        const jobs: Job[] = [];
        const children: Announced[] = [];
        for (const state of states) {
          if (state.status === 'running') children.push(...childrenAgain(state).map((announcement) => messageOf(state, announcement)));
          const outstanding: readonly OutstandingJob[] = outstandingJobs(state);
          if (outstanding.length === 0) this.#expected.delete(state.executionId);
          for (const job of outstanding) jobs.push(this.world.parts.jobOf(state, job));
        }
        return Promise.all([this.#dispatch(jobs), this.#announce(children)]);
      })
      .catch(() => undefined);
  }

  async #statesOf(executions: readonly string[]): Promise<readonly ExecutionState[]> {
    const { store } = this.world.executions;
    const histories = await this.process.ask(`load ${executions.length} to tell again`, () => {
      requireHere(store, this.world.schedule);
      return store.load(executions);
    });
    return [...histories.values()].map(({ events }) => foldExecution(initialExecution, events));
  }

  #publishUnpublished(): void {
    const { executions, schedule, parts } = this.world;
    const { commits } = executions.store;
    if (schedule.now < executions.store.awayUntil) return;
    const old = [...commits.rows.values()].filter(({ at }) => at < schedule.now - 3_000);
    const share = this.#presence.share();
    const rows = parts.unpublished(old, this.#walk).filter(({ id }) => isInShare(share, bucketOf(id)) && !this.#telling.has(id) && !this.#told.includes(id));
    if (rows.length === 0) return;
    const messages = rows.flatMap((row) => this.#announcementsOf(row));
    this.#announce(messages)
      .then(() => this.process.ask('mark', () => commits.mark(rows.map(({ id }) => id))))
      .catch(() => undefined);
  }

  #announcementsOf({ members }: CommitRecord): readonly Announced[] {
    const { store } = this.world.executions;
    return members.flatMap(([execution, sequence]) => {
      const rows = store.histories.get(execution)!.filter((row) => row.sequence <= sequence);
      let facts: ExecutionState = initialExecution;
      let before = facts;
      let events: readonly ExecutionEvent[] = [];
      for (const row of rows) {
        before = facts;
        events = store.decode(row);
        facts = foldExecution(facts, events);
      }
      return messagesOf(facts, sequence, events, before);
    });
  }

  #mark(): void {
    if (this.#told.length === 0) return;
    const ids = this.#told.splice(0);
    const { store } = this.world.executions;
    this.process
      .ask('mark', () => {
        requireHere(store, this.world.schedule);
        store.commits.mark(ids);
      })
      .catch(() => this.#told.push(...ids));
  }
}

interface Announced {
  readonly topic: 'results' | 'lifecycle' | 'commands';
  readonly message: Message;
}

function messagesOf(facts: ExecutionFacts, sequence: number, events: readonly ExecutionEvent[], before: ExecutionState): readonly Announced[] {
  return announcementsOf(facts, sequence, events, before).map((announcement) => messageOf(facts, announcement));
}

function messageOf(facts: ExecutionFacts, announcement: Announcement): Announced {
  if (announcement.to === 'commands') {
    const { id, execution, forkFrom, reason } = announcement;
    return { topic: 'commands', message: { id, key: execution, body: { execution, forkFrom, reason } satisfies Forking } };
  }
  const { id } = announcement;
  if ('begins' in announcement) return childMessage(facts, announcement.to, id, announcement.begins);
  if (announcement.to === 'parent') {
    const { execution, ended } = announcement;
    const command = { type: 'EndChild', tenant: facts.context.tenant, taint: facts.taint, ...ended } as const;
    return { topic: 'commands', message: { id, key: execution, body: { id, execution, command } satisfies Sent } };
  }
  const { to } = announcement;
  const body = to === 'results' ? { execution: facts.executionId, request: facts.request.id, status: announcement.status, output: announcement.output ?? null } : null;
  return { topic: to, message: { id, key: facts.executionId, body } };
}

/** To a child: begin or stop. What a workflow's name stands for is known everywhere here. */
function childMessage(facts: ExecutionFacts, to: 'child' | 'stop', id: string, { execution, workflow, parent, input }: ChildBeginning): Announced {
  const { context, taint, models = [] } = facts;
  const definition = { ...workflow, digest: workflow.name.replace('plan', 'definition') };
  const request = { source: `/weft/executions/${parent.execution}`, id: parent.key, type: 'sim.child.v1' };
  const begins = { executionId: execution, definition, request, context, taint, models, input, parent };
  const command: ExecutionCommand = to === 'child' ? { type: 'StartExecution', ...begins } : { type: 'StopChild', ...begins };
  return { topic: 'commands', message: { id, key: execution, body: { id, execution, command } satisfies Sent } };
}

const itemOf = ({ id, execution, command }: Sent): Item<ExecutionCommand> => ({ key: execution, command, messageId: id });

/** A command to begin a fork, as it travels. */
interface Forking {
  readonly execution: string;
  readonly forkFrom: CommandOf<'BeginFork'>['from'];
  readonly reason: string;
}

const isForking = (body: unknown): body is Forking => typeof body === 'object' && body !== null && 'forkFrom' in body;

const isSent = (body: unknown): body is Sent => typeof body === 'object' && body !== null && 'command' in body;
