// An operator: cancels, pauses and resumes, terminates, retries, forks, resets and migrates executions, while everything else goes on.
import { uuidv7 } from '@weft/kernel';
import { forkPointOf, isEnded, proposeMap, type CommandOf, type Operation } from '@weft/orchestration/core';
import type { Outcome } from '@weft/pipeline';
import { nextVersionOf, programOf } from './definition.js';
import { TENANT } from './execution-table.js';
import type { Fleet } from './fleet.js';
import type { OrchestrationReplica } from './orchestration.replica.js';
import { Random } from './random.js';
import type { World } from './world.js';

type Operate = CommandOf<'OperateExecution'>;
type Migrate = CommandOf<'MigrateExecution'>;

const AGAIN_MS = 1_500;
const LOOK_MS = 1_200;
// Forks of forks would go on for ever.
const FORKS_MAX = 2;

export class Operator {
  /** Operations that nobody has answered yet. */
  pending = 0;
  /** Executions that were disturbed: what they owe is no longer what their plan says. */
  readonly disturbed = new Set<string>();
  readonly #chances: Readonly<Record<Operation, number>>;
  /** Draws of its own, so that the other draws of a seed stay what they were before there were migrations. */
  readonly #migrating: { readonly random: Random; readonly chance: number };
  #forks = 0;

  constructor(
    private readonly world: World,
    private readonly orchestration: Fleet<OrchestrationReplica>,
    /** Told of each execution that may begin as a fork, and of the request that it answers. */
    private readonly onFork: (fork: string, request: string) => void,
  ) {
    const { random } = world;
    const draw = (most: number): number => (random.chance(0.5) ? random.next() * most : 0);
    const own = new Random(world.seed + 7_000_003);
    this.#migrating = { random: own, chance: own.chance(0.3) ? own.next() * 0.8 : 0 };
    this.#chances = { cancel: draw(0.25), pause: draw(0.4), resume: 0, terminate: draw(0.15), retry: draw(0.8), fork: draw(0.15), reset: draw(0.1) };
  }

  /** Told of each accepted execution. */
  plan(execution: string): void {
    const { random, schedule } = this.world;
    for (const operation of ['pause', 'cancel', 'terminate', 'fork', 'reset'] as const) {
      if (!random.chance(this.#chances[operation])) continue;
      this.pending++;
      schedule.after(random.between(0, 9_000), '', () => this.#operate(execution, operation));
    }
    const { random: own, chance } = this.#migrating;
    if (own.chance(chance)) {
      this.pending++;
      schedule.after(own.between(0, 9_000), '', () => this.#migrate(execution));
    }
    this.#watch(execution);
  }

  /** Takes an execution over to a version that moves all its tasks, and changes nothing of what must come of it. */
  #migrate(execution: string): void {
    const { executions, schedule, watch } = this.world;
    const row = executions.rows.get(execution);
    const next = row && nextVersionOf(row.state.definition);
    if (!next) {
      this.pending--;
      return;
    }
    const id = `migrate-${execution}-${next.version}`;
    const { map } = proposeMap(programOf(row.state.definition.digest), programOf(next.digest));
    watch.askedOperations.add(id);
    schedule.note(`operator: migrate ${execution}`);
    this.#ask(execution, { type: 'MigrateExecution', tenant: TENANT, id, by: 'operator', reason: '', to: next, map });
  }

  /** A faulted execution may be retried, once. */
  #watch(execution: string): void {
    const { executions, chaos, random, schedule } = this.world;
    const status = executions.rows.get(execution)?.status;
    if (chaos.isHealed || status === 'completed' || status === 'cancelled') return;
    if (status === 'faulted') {
      if (!random.chance(this.#chances.retry)) return;
      this.pending++;
      return this.#operate(execution, 'retry');
    }
    schedule.after(LOOK_MS, '', () => this.#watch(execution));
  }

  #operate(execution: string, operation: Operation): void {
    const { executions, random, schedule, watch } = this.world;
    const id = `${operation}-${execution}-${random.between(0, 2 ** 20)}`;
    const isFork = operation === 'fork' || operation === 'reset';
    if (!executions.rows.has(execution) || (isFork && this.#forks >= FORKS_MAX)) {
      this.pending--;
      return;
    }
    if (isFork) this.#forks++;
    watch.askedOperations.add(id);
    schedule.note(`operator: ${operation} ${execution}`);
    if (operation !== 'pause' && operation !== 'resume') this.disturbed.add(execution);
    this.#ask(execution, { type: 'OperateExecution', tenant: TENANT, operation, id, by: 'operator', reason: '' });
  }

  /** Asks until there is an answer, each time under the same id. */
  #ask(execution: string, command: Operate | Migrate): void {
    const { chaos, random, schedule } = this.world;
    let isAnswered = false;
    const times = chaos.strikes('operation-duplicate') ? 2 : 1;
    for (let time = 0; time < times; time++) {
      const replica = this.orchestration.any();
      replica?.process.later(random.between(1, 8), `operates: ${nameOf(command)} ${execution}`, () => {
        const fork = command.type === 'OperateExecution' ? this.#forkOf(execution, command) : undefined;
        replica.submit([{ key: execution, command: fork ? { ...(command as Operate), fork } : command, messageId: `operate/${command.id}` }]).then(
          ([outcome]) => {
            if (!replica.process.isAlive || isAnswered) return;
            isAnswered = true;
            if (command.type === 'MigrateExecution') this.#checkMigrated(execution, outcome);
            this.#answered(execution, nameOf(command), outcome?.kind === 'accepted' || outcome?.kind === 'ignored');
          },
          () => undefined,
        );
      });
    }
    schedule.after(AGAIN_MS, '', () => isAnswered || this.#ask(execution, command));
  }

  /** Nothing that an execution is in has changed but its place, so it can go on unless a held result is under way. */
  #checkMigrated(execution: string, outcome: Outcome | undefined): void {
    if (outcome?.kind !== 'rejected' || outcome.rejection.code !== 'cannot-resume' || outcome.rejection.message.includes('held result')) return;
    this.world.watch.violate(`I15: ${execution} cannot be migrated by the map that is proposed: ${outcome.rejection.message}`);
  }

  #answered(execution: string, operation: Operation | 'migrate', isDone: boolean): void {
    const { executions, random, schedule } = this.world;
    if (operation !== 'pause' || !isDone) {
      this.pending--;
      return;
    }
    schedule.after(random.between(100, 6_000), '', () => {
      if (!isEnded(executions.rows.get(execution)!.state)) return this.#operate(execution, 'resume');
      this.pending--;
    });
  }

  #forkOf(execution: string, { operation }: Operate): Operate['fork'] | undefined {
    if (operation !== 'fork' && operation !== 'reset') return undefined;
    const { executions, random, schedule } = this.world;
    const rows = executions.historyOf(execution);
    const entered = rows.flatMap(({ events }) => events.flatMap((event) => (event.type === 'TaskEntered' ? [event.key] : [])));
    const reading = forkPointOf(rows, entered.length > 0 ? random.pick(entered) : '');
    return reading.ok ? { ...reading.point, execution: this.#newExecution(uuidv7(schedule.now, random.bytes(10)), execution) } : undefined;
  }

  #newExecution(fork: string, from: string): string {
    const { definitions, executions } = this.world;
    this.disturbed.add(fork);
    definitions.set(fork, definitions.get(from)!);
    this.onFork(fork, executions.rows.get(from)!.state.request.id);
    return fork;
  }
}

const nameOf = (command: Operate | Migrate): Operation | 'migrate' => (command.type === 'MigrateExecution' ? 'migrate' : command.operation);
