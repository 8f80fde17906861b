// What the check claims and what a migration does, against what random documents, parkings and edits make of it.
import { expect, it } from 'vitest';
import type { ExecutionEvent } from '../execution/execution.events.js';
import { ROOT, type Activation } from '../execution/execution.state.js';
import { programOf, Running, running } from '../interpreter/running.testing.js';
import { proposeMap, type PointerMap } from './pointer-map.js';
import { Drawn, edited, type Node } from './drawn-document.testing.js';
import { upgradeProblems } from './upgrade-check.js';

const SEEDS = Number(process.env['UPGRADE_SEEDS'] ?? 1200);

/** Tasks by their pointers, with what they are whatever they are called. */
type Places = ReadonlyMap<string, Node>;

class Case {
  readonly random: Drawn;
  readonly before: readonly Node[];
  readonly after: readonly Node[];
  readonly run: Running;
  readonly places: { readonly before: Places; readonly after: Places };
  readonly idsOf = new Map<string, string>();
  readonly jobsOf = new Map<string, string>();

  constructor(readonly seed: number) {
    this.random = new Drawn(seed);
    this.before = this.random.list(0);
    this.after = edited(this.random, this.before);
    this.run = running(this.random.document(this.before), {}).start();
    this.places = { before: placesOf(this.before), after: placesOf(this.after) };
    const steps = this.random.below(9);
    for (let step = 0; step < steps && this.run.state.status === 'running'; step++) this.answer(true);
    if (this.random.chance(0.3) && this.run.state.status === 'running') {
      this.operate('pause');
      if (this.random.chance(0.5)) this.answer(false);
    }
  }

  operate(operation: 'pause' | 'resume' | 'retry'): void {
    this.run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: `${operation}-${this.run.rows.length}`, by: 'key:k1', reason: '' });
  }

  /** Something outside answers. */
  answer(mayFail: boolean): void {
    const { run, random } = this;
    const { jobs, timers, reviews, listens, children = {} } = run.state;
    const suspended = run.state.status === 'suspended';
    const options: (() => void)[] = [
      ...Object.values(jobs).map(({ id, generation }) => () => {
        if (mayFail && random.chance(0.3))
          run.accept({ type: 'FailJob', job: id, generation, failure: { code: 'x', message: 'x', retryable: true }, outcome: 'none', needsPerson: false, platform: false });
        else run.accept({ type: 'CompleteJob', job: id, generation, output: {}, taint: [] });
      }),
      ...(Object.keys(timers).length > 0 && !suspended ? [(): void => run.fireTimer()] : []),
      ...Object.keys(reviews).map((review) => () => void run.accept({ type: 'DecideReview', tenant: 'default', review, outcome: 'approved', comment: '', form: null, decidedBy: 'user:eva' })),
      ...Object.values(listens).map(
        ({ eventType }) =>
          () =>
            void run.signal({ id: `e${run.rows.length}`, type: eventType }),
      ),
      ...Object.keys(children).map((child) => () => void run.accept({ type: 'EndChild', tenant: 'default', child, status: 'completed', output: {}, taint: [] })),
    ];
    if (options.length > 0) random.pick(options)();
  }

  get live(): readonly Activation[] {
    const { activations } = { ...this.run.state, ...this.run.state.interrupted };
    return Object.values(activations).filter(({ key }) => key !== ROOT);
  }
}

function placesOf(tasks: readonly Node[]): Places {
  const places = new Map<string, Node>();
  const go = (list: readonly Node[], pointer: string): void =>
    list.forEach((node, index) => {
      const own = `${pointer}/${index}/${node.name}`;
      places.set(own, node);
      node.lists.forEach(({ at, tasks: inner }) => go(inner, own + at));
    });
  go(tasks, '/do');
  return places;
}

/** Function bodies stand in a task of their own, which nobody edits. */
const isOwn = (pointer: string): boolean => !/\/call\/[^/]+$/.test(pointer);

/** What really breaks: somebody is in, or has behind it in a fork that goes on, what is not there under the pointer that it had. */
function truth(drawn: Case): readonly string[] {
  const { before, after } = drawn.places;
  return drawn.live.flatMap(({ pointer, key }) => {
    if (!isOwn(pointer)) return [];
    const [node, now] = [before.get(pointer)!, after.get(pointer)];
    if (now?.id !== node.id || now.kind !== node.kind) return [pointer];
    if (node.kind !== 'fork') return [];
    const { branches } = { ...drawn.run.state, ...drawn.run.state.interrupted };
    return Object.values(branches).flatMap((ended) => {
      if (ended.key !== key) return [];
      const branch = node.lists[0]!.tasks[ended.branch]!;
      const there = now.lists[0]!.tasks[ended.branch];
      return there?.id === branch.id && there.name === branch.name ? [] : [pointer];
    });
  });
}

/** The map that somebody would write who knows what every task is. */
function knownMap({ before, after }: Case['places']): PointerMap {
  const byId = new Map([...after].map(([pointer, node]) => [node.id, [pointer, node] as const]));
  return Object.fromEntries(
    [...before].flatMap(([pointer, node]) => {
      const found = byId.get(node.id);
      return found && found[1].kind === node.kind && found[0] !== pointer ? [[pointer, found[0]]] : [];
    }),
  );
}

const passesLeft = ({ loop }: Activation): number => (loop ? loop.count - 1 - loop.index : 0);

/** Ids of all tasks that are entered when a list runs as a whole. */
const whole = (list: readonly Node[]): readonly string[] => list.flatMap((node) => [node.id, ...inside(node)]);
const inside = (node: Node): readonly string[] => {
  if (node.kind === 'for') return Array.from({ length: 2 }, () => whole(node.lists[0]!.tasks)).flat();
  return node.lists.filter(({ at }) => !at.startsWith('/catch')).flatMap(({ tasks }) => whole(tasks));
};

/** Ids of the tasks that an execution has still to enter under the other version, by where it is. */
function remaining(drawn: Case): readonly string[] {
  const { activations, branches } = { ...drawn.run.state, ...drawn.run.state.interrupted };
  const { before } = drawn.places;
  const children = (key: string): readonly Activation[] => Object.values(activations).filter(({ parent, key: own }) => parent === key && own !== ROOT);
  const after = new Map([...drawn.places.after.values()].map((node) => [node.id, node]));
  const held = new Set((drawn.run.state.held ?? []).map((step) => (step.go === 'complete' ? step.key : '')));
  const rest = (list: readonly Node[], live: readonly Activation[]): readonly string[] => {
    const [one] = live;
    if (!one) return whole(list);
    const id = before.get(one.pointer)!.id;
    const at = list.findIndex((node) => node.id === id);
    return [...ofTask(one), ...whole(list.slice(at + 1))];
  };
  const ofTask = (activation: Activation): readonly string[] => {
    const node = after.get(before.get(activation.pointer)!.id)!;
    const live = children(activation.key);
    if (held.has(activation.key)) return [];
    switch (node.kind) {
      case 'do':
        return rest(node.lists[0]!.tasks, live);
      case 'function':
        return rest(node.lists[0]!.tasks, children(live[0]!.key));
      case 'for':
        return [...rest(node.lists[0]!.tasks, live), ...Array.from({ length: passesLeft(activation) }, () => whole(node.lists[0]!.tasks)).flat()];
      case 'fork': {
        const ended = new Set(Object.values(branches).flatMap(({ key, branch }) => (key === activation.key ? [before.get(activation.pointer)!.lists[0]!.tasks[branch]!.id] : [])));
        return node.lists[0]!.tasks.flatMap((branch) => {
          if (ended.has(branch.id)) return [];
          const own = live.find(({ pointer }) => before.get(pointer)!.id === branch.id);
          return own ? ofTask(own) : whole([branch]);
        });
      }
      case 'try':
        return rest(node.lists[activation.caught === undefined ? 0 : 1]!.tasks, live);
      default:
        return [];
    }
  };
  return rest(drawn.after, children(ROOT));
}

/** A job is the same effect for ever, and no other task's. */
function checkIds(drawn: Case, rows: readonly (readonly ExecutionEvent[])[], places: Places): void {
  for (const event of rows.flat()) {
    if (event.type !== 'JobScheduled') continue;
    const pointer = event.key.split('#')[0]!;
    const node = places.get(pointer);
    const id = node ? `${node.id} ${node.kind}` : pointer;
    const known = drawn.idsOf.get(event.job);
    expect(known ?? id, `seed ${drawn.seed}: job ${event.job} is of one task`).toBe(id);
    drawn.idsOf.set(event.job, id);
    // By their names tasks are found wherever they stand in their lists, and are not done twice.
    const named = event.key.replaceAll(/\/\d+(?=\/)/g, '');
    const before = drawn.jobsOf.get(`${id} ${named}`) ?? event.job;
    expect(event.job, `seed ${drawn.seed}: ${event.key} keeps the key that it had`).toBe(before);
    drawn.jobsOf.set(`${id} ${named}`, before);
  }
}

function goOn(drawn: Case, map: PointerMap): void {
  const { run, seed } = drawn;
  const expected = remaining(drawn);
  const { length } = run.rows;
  checkIds(drawn, run.rows, drawn.places.before);
  const decision = run.migrate(drawn.random.document(drawn.after), map);
  expect(decision.kind, `seed ${seed}: ${JSON.stringify(decision.kind === 'rejected' ? decision.rejection : '')}`).toBe('accepted');
  if (run.state.status === 'suspended') drawn.operate('resume');
  if (run.state.status === 'faulted') drawn.operate('retry');
  for (let step = 0; step < 500 && run.state.status === 'running'; step++) {
    const row = run.rows.length;
    drawn.answer(false);
    if (run.rows.length === row) break;
  }
  const what = `seed ${seed}\n${JSON.stringify(drawn.random.document(drawn.before))}\n${JSON.stringify(drawn.random.document(drawn.after))}\n${JSON.stringify(map)}`;
  expect(run.state.status, what).toBe('completed');
  const { jobs, timers, listens, reviews, children = {} } = run.state;
  expect(
    [jobs, timers, listens, reviews, children].map((part) => Object.keys(part).length),
    what,
  ).toEqual([0, 0, 0, 0, 0]);
  const now = run.rows.slice(length);
  checkIds(drawn, now, drawn.places.after);
  const entered = now.flat().flatMap((event) => (event.type === 'TaskEntered' && isOwn(event.pointer) ? [drawn.places.after.get(event.pointer)!.id] : []));
  expect(entered.toSorted(), what).toEqual([...expected].toSorted());
}

const isAsked = (drawn: Case): boolean => ['running', 'suspended', 'faulted'].includes(drawn.run.state.status);

it(`of ${SEEDS} random documents, parkings and edits the check names exactly those that break, and the others go on as they should`, () => {
  const counts = { able: 0, broken: 0, mapped: 0, over: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const drawn = new Case(seed);
    if (!isAsked(drawn)) {
      counts.over++;
      continue;
    }
    const next = programOf(drawn.random.document(drawn.after), '2.0.0');
    const claimed = upgradeProblems(drawn.run.state, drawn.run.program, next);
    const broken = truth(drawn);
    const what = `seed ${seed}: claimed ${JSON.stringify(claimed)} but ${JSON.stringify(broken)}`;
    expect(claimed.length > 0, what).toBe(broken.length > 0);
    expect(new Set(claimed.map(({ pointer }) => pointer).filter(isOwn)), what).toEqual(new Set(broken));
    if (claimed.length === 0) {
      counts.able++;
      goOn(drawn, {});
      continue;
    }
    counts.broken++;
    const proposed = proposeMap(drawn.run.program, next).map;
    const map = seed % 2 === 0 ? knownMap(drawn.places) : proposed;
    if (upgradeProblems(drawn.run.state, drawn.run.program, next, map).length > 0) continue;
    counts.mapped++;
    goOn(drawn, map);
  }
  expect(counts.able * counts.broken * counts.mapped).toBeGreaterThan(0);
});
