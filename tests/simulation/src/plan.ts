// What a random workflow is made of, and what must come of it: the sums are known before anything runs.
import type { Random } from './random.js';

/** How an effect goes out, and so what a lost answer leads to. */
export type Sending = 'idempotent' | 'hooked' | 'hookless' | 'put' | 'post';

/** One task of a plan. Every task hands on `{ total }`. */
export type PlannedTask =
  /** Adds `amount` outside and to the total. The receiver refuses it `refusals` times: known not to have happened. */
  | { readonly kind: 'effect'; readonly name: string; readonly sending: Sending; readonly amount: number; readonly refusals: number }
  | { readonly kind: 'set'; readonly name: string; readonly plus: number }
  | { readonly kind: 'read' | 'emit' | 'review' | 'remember' | 'recall' | 'validate' | 'infer'; readonly name: string }
  | { readonly kind: 'wait'; readonly name: string; readonly ms: number }
  | { readonly kind: 'skipped'; readonly name: string }
  | { readonly kind: 'do'; readonly name: string; readonly tasks: readonly PlannedTask[] }
  | {
      readonly kind: 'try';
      readonly name: string;
      readonly tasks: readonly PlannedTask[];
      readonly retries: number;
      readonly delayMs: number;
      readonly isLimited: boolean;
      readonly rescue: readonly PlannedTask[];
    }
  /** Jumps over the task after it when the total is odd. */
  | { readonly kind: 'jump'; readonly name: string; readonly jumped: PlannedTask; readonly landing: string }
  /** Repeats an effect until the total has grown by `rounds` times its amount. */
  | { readonly kind: 'loop'; readonly name: string; readonly effect: PlannedTask & { kind: 'effect' }; readonly rounds: number }
  | { readonly kind: 'raise'; readonly name: string }
  /** Runs its tasks once for each of `passes` items. */
  | { readonly kind: 'for'; readonly name: string; readonly passes: number; readonly tasks: readonly PlannedTask[] }
  /** Runs branches at the same time; the total is the sum of theirs. */
  | { readonly kind: 'fork'; readonly name: string; readonly branches: readonly PlannedTask[] }
  /** Runs branches until one ends; the total stays, and nobody can say which effects happen. */
  | { readonly kind: 'race'; readonly name: string; readonly branches: readonly PlannedTask[] }
  /** Runs its tasks; when the execution is cancelled meanwhile, its rescue too. */
  | { readonly kind: 'shelter'; readonly name: string; readonly tasks: readonly PlannedTask[]; readonly rescue: readonly PlannedTask[] }
  /** An agent whose model calls these effects, turn by turn, and then answers. Beyond `callsMax` it may call nothing more. */
  | { readonly kind: 'agent'; readonly name: string; readonly turns: readonly (readonly PlannedEffect[])[]; readonly callsMax: number }
  /** Is never done in its time, nor in that of an attempt: its rescue is. */
  | { readonly kind: 'late'; readonly name: string; readonly limited: 'task' | 'attempt'; readonly ms: number; readonly rescue: PlannedEffect }
  /** May be done in its time or not; the total stays, and nobody can say which effects happen. */
  | { readonly kind: 'hurry'; readonly name: string; readonly ms: number; readonly tasks: readonly PlannedTask[] }
  /** Has data that does not fit its schema: its rescue is done. */
  | { readonly kind: 'misfit'; readonly name: string; readonly place: 'input' | 'output' | 'export'; readonly rescue: PlannedEffect }
  /** Runs another workflow, once or for each of some items; the total stays, whatever comes of them. */
  | { readonly kind: 'children'; readonly name: string; readonly child: number; readonly items: number }
  /** Waits for the event that is named after it. */
  | { readonly kind: 'listen'; readonly name: string; readonly isCorrelated: boolean }
  /** Waits for two events: for each of its own, for any until there are two, or with an effect for each. */
  | { readonly kind: 'gather'; readonly name: string; readonly how: 'all' | 'until' | 'each'; readonly effect: PlannedEffect };

export type PlannedEffect = PlannedTask & { readonly kind: 'effect' };

const SENDINGS: readonly Sending[] = ['idempotent', 'idempotent', 'idempotent', 'hooked', 'hookless', 'put', 'post'];
/** Agents call tools alone. */
const TOOL_SENDINGS: readonly Sending[] = ['idempotent', 'idempotent', 'hooked', 'hookless'];
const KINDS = [
  'effect',
  'effect',
  'effect',
  'effect',
  'effect',
  'set',
  'read',
  'emit',
  'review',
  'remember',
  'recall',
  'validate',
  'infer',
  'agent',
  'wait',
  'wait',
  'skipped',
  'do',
  'try',
  'try',
  'jump',
  'loop',
  'for',
  'fork',
  'fork',
  'race',
  'shelter',
  'listen',
  'late',
  'hurry',
  'misfit',
  'children',
  'gather',
] as const;
// What is the same in every pass of a loop, and never raises.
const PLAIN_KINDS = ['effect', 'effect', 'effect', 'set', 'read', 'wait', 'emit', 'remember', 'review', 'infer', 'agent'] as const;

/** Plans that only other ones run. */
export const CHILD_PLANS = 20;

/** A plan of at least five tasks; of one that others run, of one or two that never raise. */
export function planOf(random: Random, isChild = false): readonly PlannedTask[] {
  const planner = new Planner(random);
  if (isChild) return planner.plain(2);
  return Array.from({ length: random.between(5, 8) }, () => planner.task(0));
}

class Planner {
  #named = 0;

  constructor(private readonly random: Random) {}

  task(depth: number, kinds: typeof KINDS | typeof PLAIN_KINDS = KINDS): PlannedTask {
    const { random } = this;
    const kind = random.pick<(typeof KINDS)[number]>(kinds);
    const name = this.#name(kind);
    switch (kind) {
      case 'effect':
        if (kinds === PLAIN_KINDS) return this.#effect(name, 0);
        return this.#effect(name, depth > 0 && random.chance(0.25) ? random.between(1, 2) : random.chance(0.01) ? 1 : 0);
      case 'set':
        return { kind, name, plus: random.between(1, 9) };
      case 'wait':
        return { kind, name, ms: random.between(100, 6_000) };
      case 'do':
        return depth > 1 ? this.#effect(name, 0) : { kind, name, tasks: this.#tasks(depth) };
      case 'try':
        if (depth > 1) return this.#effect(name, 0);
        return {
          kind,
          name,
          tasks: [...this.#tasks(depth), ...(random.chance(0.15) ? [{ kind: 'raise', name: this.#name('raise') } as const] : [])],
          retries: random.between(0, 3),
          delayMs: random.chance(0.5) ? 0 : random.between(50, 3_000),
          isLimited: random.chance(0.4),
          rescue: random.chance(0.7) ? [this.#effect(this.#name('effect'), 0)] : [],
        };
      case 'for':
        return { kind, name, passes: random.between(1, 4), tasks: this.plain(2) };
      case 'fork':
        return { kind, name, branches: this.#branches(depth) };
      case 'race':
        return { kind, name, branches: this.plain(3) };
      case 'shelter':
        return { kind, name, tasks: this.plain(3), rescue: [this.#effect(this.#name('effect'), 0)] };
      case 'listen':
        // Tried again it would take a second event.
        return depth > 0 ? this.#effect(name, 0) : this.#listen(name);
      case 'late':
        return { kind, name, limited: random.pick(['task', 'attempt']), ms: random.between(50, 2_000), rescue: this.#effect(this.#name('effect'), 0) };
      case 'hurry':
        return { kind, name, ms: random.between(20, 3_000), tasks: this.plain(3) };
      case 'gather':
        return depth > 0 ? this.#effect(name, 0) : { kind, name, how: random.pick(['all', 'until', 'each']), effect: this.#effect(this.#name('effect'), 0) };
      case 'misfit':
        return { kind, name, place: random.pick(['input', 'output', 'export']), rescue: this.#effect(this.#name('effect'), 0) };
      case 'children':
        return { kind, name, child: random.below(CHILD_PLANS), items: random.between(0, 3) };
      case 'agent':
        return this.#agent(name);
      case 'jump':
        return { kind, name, jumped: this.#effect(this.#name('effect'), 0), landing: this.#name('set') };
      case 'loop':
        return { kind, name, effect: this.#effect(this.#name('effect'), 0), rounds: random.between(2, 3) };
      default:
        return { kind, name };
    }
  }

  #listen(name: string): PlannedTask {
    return { kind: 'listen', name, isCorrelated: this.random.chance(0.5) };
  }

  #agent(name: string): PlannedTask {
    const turns = Array.from({ length: this.random.between(1, 4) }, () => Array.from({ length: this.random.between(1, 3) }, () => this.#effect(this.#name('effect'), 0, TOOL_SENDINGS)));
    const calls = turns.flat().length;
    return { kind: 'agent', name, turns, callsMax: this.random.chance(0.3) ? this.random.between(0, calls - 1) : calls };
  }

  plain(most: number): readonly PlannedTask[] {
    return Array.from({ length: this.random.between(1, most) }, () => this.task(0, PLAIN_KINDS));
  }

  /** A branch that fails cancels the others, and no sum would be owed: what may be refused is inside a `try`. */
  #branches(depth: number): readonly PlannedTask[] {
    return Array.from({ length: this.random.between(2, 4) }, (): PlannedTask => {
      const name = this.#name('branch');
      if (depth > 0 || this.random.chance(0.6)) return { kind: 'do', name, tasks: [...this.plain(2), ...(depth === 0 && this.random.chance(0.3) ? [this.#listen(this.#name('listen'))] : [])] };
      return { kind: 'try', name, tasks: this.#tasks(1), retries: 1, delayMs: 0, isLimited: false, rescue: [this.#effect(this.#name('effect'), 0)] };
    });
  }

  #tasks(depth: number): readonly PlannedTask[] {
    return Array.from({ length: this.random.between(1, 3) }, () => this.task(depth + 1));
  }

  #effect(name: string, refusals: number, sendings = SENDINGS): PlannedEffect {
    return { kind: 'effect', name, sending: this.random.pick(sendings), amount: this.random.between(1, 99), refusals };
  }

  #name(kind: string): string {
    return `${kind}${this.#named++}`;
  }
}

/** The calls of an agent that its limit leaves. */
export const callsOf = ({ turns, callsMax }: Extract<PlannedTask, { kind: 'agent' }>): readonly PlannedEffect[] => turns.flat().slice(0, callsMax);

/** What must come of an execution that meets no outcome which nobody can tell. */
export interface Expected {
  readonly status: 'completed' | 'faulted';
  /** Undefined when it faults. */
  readonly total: number | undefined;
  /** How much each effect adds outside, by task name. */
  readonly sums: ReadonlyMap<string, number>;
  /** Effects of races: they may happen or not. */
  readonly loose: ReadonlySet<string>;
}

/** The most that agents may add outside, by counter: in every pass of a loop once, whatever fails and is tried again. */
export function agentBounds(plan: readonly PlannedTask[], passes = 1): ReadonlyMap<string, number> {
  const bounds = new Map<string, number>();
  const add = (tasks: readonly PlannedTask[], times: number): void => {
    for (const [counter, most] of agentBounds(tasks, times)) bounds.set(counter, most);
  };
  for (const task of plan) {
    if (task.kind === 'agent') for (const { name, amount } of callsOf(task)) bounds.set(name, amount * passes);
    if (task.kind === 'for') add(task.tasks, passes * task.passes);
    if (task.kind === 'do' || task.kind === 'try' || task.kind === 'shelter' || task.kind === 'hurry') add(task.tasks, passes);
    if (task.kind === 'fork' || task.kind === 'race') add(task.branches, passes);
  }
  return bounds;
}

class Raised extends Error {}

/** Carries a plan out on paper, from a total on. */
export function expectedOf(plan: readonly PlannedTask[], from: number): Expected {
  const paper = new Paper();
  try {
    return { total: paper.run(plan, from), status: 'completed', sums: paper.sums, loose: paper.loose };
  } catch (thrown) {
    if (!(thrown instanceof Raised)) throw thrown;
    return { status: 'faulted', total: undefined, sums: paper.sums, loose: paper.loose };
  }
}

class Paper {
  readonly sums = new Map<string, number>();
  readonly loose = new Set<string>();
  /** Pass of the `for` around. */
  #pass = '';
  readonly #refused = new Map<string, number>();
  readonly #happened = new Set<string>();

  run(tasks: readonly PlannedTask[], total: number): number {
    return tasks.reduce((sum, task) => this.#task(task, sum), total);
  }

  #task(task: PlannedTask, total: number): number {
    switch (task.kind) {
      case 'effect':
        return this.#effect(task, 0, total);
      case 'set':
        return total + task.plus;
      case 'late':
      case 'misfit':
        return this.#effect(task.rescue, 0, total);
      case 'gather':
        if (task.how === 'each') for (const round of [0, 1]) this.#effect(task.effect, round, total);
        return total;
      case 'hurry':
        this.#loosen(task.tasks);
        return total;
      case 'do':
      case 'shelter':
        return this.run(task.tasks, total);
      case 'try':
        return this.#try(task, total);
      case 'jump':
        return (total % 2 === 1 ? total : this.#effect(task.jumped as PlannedTask & { kind: 'effect' }, 0, total)) + 1;
      case 'loop': {
        let sum = total;
        for (let round = 0; round < task.rounds; round++) sum = this.#effect(task.effect, round, sum);
        return sum;
      }
      case 'agent':
        for (const effect of callsOf(task)) this.#effect(effect, 0, total);
        return total;
      case 'raise':
        throw new Raised();
      case 'for': {
        let sum = total;
        for (let pass = 0; pass < task.passes; pass++) {
          this.#pass = `${task.name}:${pass}`;
          sum = this.run(task.tasks, sum);
        }
        this.#pass = '';
        return sum;
      }
      case 'fork':
        return task.branches.reduce((sum, branch) => sum + this.#task(branch, total), 0);
      case 'race':
        this.#loosen(task.branches);
        return total;
      default:
        return total;
    }
  }

  #loosen(tasks: readonly PlannedTask[]): void {
    for (const task of tasks) for (const name of task.kind === 'agent' ? callsOf(task).map((effect) => effect.name) : [task.name]) this.loose.add(name);
  }

  #effect({ name, amount, refusals }: PlannedTask & { kind: 'effect' }, round: number, total: number): number {
    const activation = `${name}#${round}${this.#pass}`;
    const refused = this.#refused.get(name) ?? 0;
    if (!this.#happened.has(activation)) {
      if (refused < refusals) {
        this.#refused.set(name, refused + 1);
        throw new Raised();
      }
      this.#happened.add(activation);
      this.sums.set(name, (this.sums.get(name) ?? 0) + amount);
    }
    return total + amount;
  }

  #try({ tasks, retries, rescue }: PlannedTask & { kind: 'try' }, total: number): number {
    for (let attempt = 0; ; attempt++) {
      try {
        return this.run(tasks, total);
      } catch (thrown) {
        if (!(thrown instanceof Raised)) throw thrown;
        if (attempt < retries) continue;
        return this.run(rescue, total);
      }
    }
  }
}
