// Executions that start each other, over the pure core: what one tells another is delivered when a spec says so.
import { invariant, type Json } from '@weft/kernel';
import { announcementsOf, type Announcement } from '../execution/announcements.js';
import type { ExecutionCommand } from '../execution/execution.commands.js';
import { executionDecider, type ExecutionDecision } from '../execution/execution.decide.js';
import type { ExecutionEvent } from '../execution/execution.events.js';
import { foldExecution } from '../execution/execution.evolve.js';
import { initialExecution, jobIdOf, type ExecutionState } from '../execution/execution.state.js';
import type { Operation } from '../execution/operation.js';
import { compileProgram } from '../program/compile.js';
import type { Program } from '../program/program.js';

export const TOP = '00000000-0000-7000-8000-000000000001';

type Told = Extract<Announcement, { to: 'child' | 'stop' | 'parent' }>;

interface Member {
  state: ExecutionState;
  readonly rows: (readonly ExecutionEvent[])[];
}

const isTold = (announcement: Announcement): announcement is Told => announcement.to === 'child' || announcement.to === 'stop' || announcement.to === 'parent';

export class Family {
  readonly members = new Map<string, Member>();
  /** What is under way between executions. */
  readonly underWay: { readonly from: string; readonly told: Told }[] = [];
  readonly told: Announcement[] = [];
  readonly #programs: ReadonlyMap<string, Program>;
  now = 1_000_000;

  /** @param tasks of workflows by name; the top one runs `top`. */
  constructor(tasks: Readonly<Record<string, readonly object[]>>) {
    this.#programs = new Map(
      Object.entries(tasks).map(([name, list]) => [name, compileProgram({ document: { dsl: '1.0.3', namespace: 'spec', name, version: '1.0.0' }, do: list } as unknown as Json)]),
    );
  }

  start(input: Json = {}): this {
    this.give(TOP, { type: 'StartExecution', ...this.#facts(TOP, 'top', input) });
    return this;
  }

  /** Decides, and records what is accepted. */
  give(id: string, command: ExecutionCommand): ExecutionDecision {
    const member = this.members.get(id) ?? { state: initialExecution, rows: [] };
    const programs = (digest: string): Program => {
      const program = this.#programs.get(digest);
      invariant(program, `workflow ${digest} is there`);
      return program;
    };
    const decision = executionDecider(programs).decide(member.state, command, { now: this.now++, idOf: (ordinal) => `m#${ordinal}` });
    if (decision.kind !== 'accepted') return decision;
    const before = member.state;
    member.state = foldExecution(before, decision.events);
    member.rows.push(decision.events);
    this.members.set(id, member);
    const announcements = announcementsOf(member.state, member.rows.length - 1, decision.events, before);
    this.told.push(...announcements);
    this.underWay.push(...announcements.filter(isTold).map((told) => ({ from: id, told })));
    return decision;
  }

  /** Delivers what is under way, and what that leads to, until nothing is. @param times how often each is delivered. */
  deliver(times = 1): this {
    for (let next = this.underWay.shift(); next; next = this.underWay.shift()) for (let n = 0; n < times; n++) this.#deliverOne(next.from, next.told);
    return this;
  }

  deliverOnly(to: Told['to']): void {
    const chosen = this.underWay.filter(({ told }) => told.to === to);
    this.underWay.splice(0, this.underWay.length, ...this.underWay.filter(({ told }) => told.to !== to));
    for (const { from, told } of chosen) this.#deliverOne(from, told);
  }

  complete(id: string, key: string, output: Json): void {
    const decision = this.give(id, { type: 'CompleteJob', job: jobIdOf(id, key), generation: this.state(id).jobs[jobIdOf(id, key)]?.generation ?? 0, output, taint: [] });
    invariant(decision.kind === 'accepted', `the job ${key} is outstanding`);
  }

  fail(id: string, key: string): void {
    const failure = { code: 'timeout', message: 'late', retryable: false };
    this.give(id, { type: 'FailJob', job: jobIdOf(id, key), generation: 0, failure, outcome: 'none', needsPerson: false, platform: false });
  }

  operate(id: string, operation: Operation): ExecutionDecision {
    return this.give(id, { type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'user:eva', reason: '' });
  }

  state(id = TOP): ExecutionState {
    return this.members.get(id)?.state ?? initialExecution;
  }

  /** Ids of executions other than the top one, in the order in which they began. */
  children(): readonly string[] {
    return [...this.members.keys()].filter((id) => id !== TOP);
  }

  #deliverOne(from: string, told: Told): void {
    const facts = this.state(from);
    if (told.to === 'parent') {
      const { child, status, output, error } = told.ended;
      this.give(told.execution, { type: 'EndChild', tenant: 'default', child, status, taint: facts.taint, ...(output === undefined ? {} : { output }), ...(error === undefined ? {} : { error }) });
      return;
    }
    const { execution, workflow, input, parent } = told.begins;
    this.give(execution, { type: told.to === 'child' ? 'StartExecution' : 'StopChild', ...this.#facts(execution, workflow.name, input), taint: facts.taint, parent });
  }

  #facts(executionId: string, name: string, input: Json) {
    return {
      executionId,
      definition: { namespace: 'spec', name, version: '1.0.0', digest: this.#programs.has(name) ? name : '' },
      request: { source: '/spec', id: 'r1', type: 'spec' },
      context: { tenant: 'default', actor: 'key:k1', purpose: 'p', traceparent: '', tracestate: '', deadlineMs: 0 },
      taint: [] as readonly string[],
      models: [],
      input,
    };
  }
}
