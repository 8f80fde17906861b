// One execution over the pure core, for specs: applies commands, keeps the rows, and answers like the workers would.
import { invariant, type DecideContext, type Json } from '@weft/kernel';
import { announcementsOf, type Announcement } from '../execution/announcements.js';
import { outstandingJobs } from '../execution/effects-between.js';
import type { CommandOf, ExecutionCommand } from '../execution/execution.commands.js';
import { executionDecider, type ExecutionDecision } from '../execution/execution.decide.js';
import type { EffectOutcome, ExecutionEvent, TimerPurpose } from '../execution/execution.events.js';
import { evolveExecution } from '../execution/execution.evolve.js';
import { initialExecution, jobIdOf, type ExecutionState, type OutstandingTimer } from '../execution/execution.state.js';
import { compileProgram, type ProgramSettings } from '../program/compile.js';
import type { Program, Resources } from '../program/program.js';
import type { PointerMap } from '../upgrade/pointer-map.js';
import { THIS_RELEASE, type EngineRelease } from '../upgrade/engine-flags.js';

let release = THIS_RELEASE;

/** Runs executions as a release decides them. */
export function decidedBy<T>(another: EngineRelease, run: () => T): T {
  const usual = release;
  release = another;
  try {
    return run();
  } finally {
    release = usual;
  }
}

/** @param definition a document without its head. */
export const programOf = (definition: object, version = '1.0.0', resources?: Resources, settings?: ProgramSettings): Program =>
  compileProgram({ document: { dsl: '1.0.3', namespace: 'test', name: 'flow', version }, ...definition } as Json, resources, settings);

const EXECUTION_ID = '00000000-0000-7000-8000-000000000001';

/** @param definition a document without its head. @param input what the request carries. @param resources what publish locked. */
export function running(definition: object, input: Json, resources?: Resources, settings?: ProgramSettings): Running {
  return new Running(definition, input, EXECUTION_ID, resources, settings);
}

export class Running {
  readonly rows: ExecutionEvent[][] = [];
  state: ExecutionState = initialExecution;
  #now = 1_000_000;
  readonly #decider;
  readonly #programs = new Map<string, Program>();

  constructor(
    private readonly definition: object,
    private readonly input: Json,
    readonly executionId: string = EXECUTION_ID,
    private readonly resources?: Resources,
    settings?: ProgramSettings,
  ) {
    this.#programs.set('d', programOf(definition, '1.0.0', resources, settings));
    this.#decider = executionDecider((digest) => this.#programs.get(digest)!, release);
  }

  get now(): number {
    return this.#now;
  }

  get decisions(): number {
    return this.rows.length;
  }

  start(): this {
    this.accept(this.#startCommand());
    return this;
  }

  startAgain(): ExecutionDecision {
    return this.command(this.#startCommand());
  }

  /** The program that it runs by now. */
  get program(): Program {
    return this.#programs.get(this.state.definition.digest)!;
  }

  /** Asks to go on under another version. */
  migrate(definition: object, map: PointerMap = {}, version = '2.0.0'): ExecutionDecision {
    this.#programs.set(version, programOf(definition, version, this.resources));
    const to = { namespace: 'test', name: 'flow', version, digest: version };
    const command = { type: 'MigrateExecution', tenant: 'default', id: `migrate-${version}`, by: 'key:k1', reason: '', to, map } as const;
    const decision = this.command(command);
    if (decision.kind === 'accepted') this.accept(command);
    return decision;
  }

  /** Another execution of the same definition. */
  sibling(executionId: string): Running {
    return new Running(this.definition, this.input, executionId, this.resources);
  }

  /** Lets time pass without anything being told. */
  passUntil(now: number): void {
    this.#now = now;
  }

  command(command: ExecutionCommand): ExecutionDecision {
    const context: DecideContext = { now: this.#now, idOf: (ordinal) => `m#${ordinal}` };
    return this.#decider.decide(this.state, command, context);
  }

  /** Applies a command that must be accepted, and returns its events. */
  accept(command: ExecutionCommand): readonly ExecutionEvent[] {
    const decision = this.command(command);
    invariant(decision.kind === 'accepted', `expected ${command.type} to be accepted but it is ${JSON.stringify(decision)}`);
    this.rows.push([...decision.events]);
    this.state = decision.events.reduce(evolveExecution, this.state);
    return decision.events;
  }

  jobId(key: string): string {
    return jobIdOf(this.executionId, key);
  }

  /** Activation keys of the jobs to be carried out. */
  jobs(): string[] {
    return outstandingJobs(this.state).map((job) => job.key);
  }

  complete(key: string, output: Json): readonly ExecutionEvent[] {
    return this.accept({ type: 'CompleteJob', job: this.jobId(key), generation: this.#generation(key), output, taint: [] });
  }

  fail(key: string, failure: CommandOf<'FailJob'>['failure'], outcome: EffectOutcome = 'none'): readonly ExecutionEvent[] {
    return this.accept({ type: 'FailJob', job: this.jobId(key), generation: this.#generation(key), failure, outcome, needsPerson: false, platform: false });
  }

  /** Sends an event; what it does not name is made up. */
  signal(event: { readonly id: string; readonly type?: string; readonly source?: string; readonly [attribute: string]: Json | undefined }, isCorrelated = false): ExecutionDecision {
    const { id, source = '/shop', type = 'com.example.paid.v1' } = event;
    const command = { type: 'ReceiveSignal', tenant: 'default', source, id, eventType: type, event: { specversion: '1.0', ...event, source, type } as Json, taint: [], isCorrelated } as const;
    const decision = this.command(command);
    if (decision.kind === 'accepted') this.accept(command);
    return decision;
  }

  /** Lets the timer fall due that is the first to do so, or the first for this purpose. */
  fireTimer(purpose?: TimerPurpose): void {
    const timers = Object.values(this.state.timers).filter((timer) => purpose === undefined || timer.purpose === purpose);
    const timer = timers.reduce<OutstandingTimer | undefined>((first, next) => (first && first.due <= next.due ? first : next), undefined);
    invariant(timer, 'a timer is set');
    this.#now = Math.max(this.#now, timer.due);
    this.accept({ type: 'FireTimer', timer: timer.id });
  }

  /** Lets decisions that grew too long be followed by the next ones. @returns how many. */
  goOn(): number {
    const before = this.decisions;
    while (Object.values(this.state.timers)[0]?.purpose === 'yield') this.fireTimer();
    return this.decisions - before;
  }

  announcements(): Announcement[] {
    return this.rows.flatMap((events, sequence) => announcementsOf(this.state, sequence, events));
  }

  refold(through: (events: readonly ExecutionEvent[]) => readonly ExecutionEvent[]): ExecutionState {
    return this.rows.flatMap((events) => [...through(events)]).reduce(evolveExecution, initialExecution);
  }

  #generation(key: string): number {
    return this.state.jobs[this.jobId(key)]?.generation ?? 0;
  }

  #startCommand(): CommandOf<'StartExecution'> {
    return {
      type: 'StartExecution',
      executionId: this.executionId,
      definition: { namespace: 'test', name: 'flow', version: '1.0.0', digest: 'd' },
      request: { source: 's', id: 'r1', type: 't' },
      context: { tenant: 'default', actor: 'a', purpose: 'p', traceparent: '', tracestate: '', deadlineMs: 0 },
      taint: [],
      models: [],
      input: this.input,
    };
  }
}
