// Random documents whose tasks are known whatever they are called and wherever they stand, and random edits of them.
import type { Json } from '@weft/kernel';

export type Kind = 'job' | 'wait' | 'listen' | 'gather' | 'review' | 'child' | 'map' | 'set' | 'do' | 'for' | 'fork' | 'try' | 'function';

export interface Node {
  /** What it is, for ever. */
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
  readonly lists: readonly { readonly at: string; readonly tasks: readonly Node[] }[];
  /** Data that changes nothing of where an execution can be. */
  readonly note: number;
}

const LEAVES: readonly Kind[] = ['job', 'job', 'job', 'wait', 'listen', 'gather', 'review', 'child', 'map', 'set'];
const HOLDERS: readonly Kind[] = ['do', 'for', 'fork', 'try', 'function'];
const DEPTH_MAX = 3;

/** Mulberry32, and what is drawn from it. */
export class Drawn {
  #state: number;
  #named = 0;

  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  }

  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  }

  chance(probability: number): boolean {
    return this.below(1_000) < probability * 1_000;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  name(): string {
    return `t${this.#named++}`;
  }

  list(depth: number): readonly Node[] {
    return Array.from({ length: 1 + this.below(depth === 0 ? 4 : 3) }, () => this.node(depth));
  }

  node(depth: number): Node {
    const kind = depth < DEPTH_MAX && this.chance(0.45) ? this.pick(HOLDERS) : this.pick(LEAVES);
    const name = this.name();
    const list = (at: string): Node['lists'][number] => ({ at, tasks: this.list(depth + 1) });
    const lists =
      kind === 'try' ? [list('/try'), list('/catch/do')] : kind === 'fork' ? [list('/fork/branches')] : kind === 'function' ? [list(`/call/f${name}/do`)] : HOLDERS.includes(kind) ? [list('/do')] : [];
    return { id: name, name, kind, lists, note: 0 };
  }

  document(tasks: readonly Node[]): { readonly do: readonly object[] } & object {
    const functions: Record<string, Json> = {};
    const written = (list: readonly Node[]): Json => list.map((node) => ({ [node.name]: taskOf(node, written, functions) })) as unknown as Json;
    const list = written(tasks) as unknown as readonly object[];
    return { ...(Object.keys(functions).length > 0 ? { use: { functions } } : {}), do: list };
  }
}

const WORKFLOW = { namespace: 'test', name: 'other', version: '1.0.0' };

function taskOf(node: Node, written: (list: readonly Node[]) => Json, functions: Record<string, Json>): Json {
  const { kind, id, lists, note } = node;
  const tasks = (at: number): Json => written(lists[at]!.tasks);
  const noted = note === 0 ? {} : { metadata: { note }, output: { as: '.' } };
  switch (kind) {
    case 'job':
      return { call: 'http', with: { method: 'get', endpoint: 'https://example.test', query: { id } }, ...noted };
    case 'wait':
      return { wait: { seconds: 1 + note }, ...noted };
    case 'listen':
      return { listen: { to: { one: { with: { type: `one.${id}` } } } }, ...noted };
    case 'gather':
      return { listen: { to: { all: [{ with: { type: `a.${id}` } }, { with: { type: `b.${id}` } }] } }, ...noted };
    case 'review':
      return { call: 'review', with: { title: id, subject: {} }, ...noted };
    case 'child':
      return { run: { workflow: { ...WORKFLOW, input: { id } } }, ...noted };
    case 'map':
      return { call: 'map', with: { in: '${ [1, 2, 3] }', workflow: WORKFLOW, concurrency: 2 }, ...noted };
    case 'set':
      return { set: { note }, ...noted };
    case 'do':
      return { do: tasks(0), ...noted };
    case 'for':
      return { for: { in: '[1, 2]' }, do: tasks(0), ...noted };
    case 'fork':
      return { fork: { branches: tasks(0) }, ...noted };
    case 'try':
      return { try: tasks(0), catch: { errors: {}, retry: { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } }, do: tasks(1) }, ...noted };
    case 'function': {
      const name = /^\/call\/([^/]+)/.exec(lists[0]!.at)![1]!;
      functions[name] = { do: tasks(0) };
      return { call: name, with: {}, ...noted };
    }
  }
}

/** One or two edits: a task renamed, removed, inserted, of another kind, two in another order, or only noted. */
export function edited(random: Drawn, tasks: readonly Node[]): readonly Node[] {
  let now = tasks;
  for (let left = 1 + random.below(2); left > 0; left--) now = editedOnce(random, now);
  return now;
}

function editedOnce(random: Drawn, tasks: readonly Node[]): readonly Node[] {
  const at = random.below(tasks.length);
  const node = tasks[at]!;
  if (node.lists.length > 0 && random.chance(0.65)) {
    const which = random.below(node.lists.length);
    const lists = node.lists.map((list, index) => (index === which ? { ...list, tasks: editedOnce(random, list.tasks) } : list));
    return tasks.with(at, { ...node, lists });
  }
  const other = random.below(tasks.length);
  switch (random.below(6)) {
    case 0:
      return tasks.with(at, { ...node, name: random.name() });
    case 1:
      return tasks.length === 1 ? tasks : tasks.toSpliced(at, 1);
    case 2:
      return tasks.toSpliced(at, 0, random.node(DEPTH_MAX));
    case 3: {
      const leaf = random.node(DEPTH_MAX);
      return leaf.kind === node.kind ? tasks : tasks.with(at, { ...leaf, id: node.id, name: node.name });
    }
    case 4:
      return tasks.with(at, tasks[other]!).with(other, node);
    default:
      return tasks.with(at, { ...node, note: node.note + 1 });
  }
}
