// The tasks of a document as a graph: what follows what, and what lies within what.
import { objectOf, type Json, type JsonObject } from '@weft/kernel';
import { cases } from '../references.js';
import { FUNCTIONS_POINTER, iteratorOf, placedTasks, type PlacedTask } from '../tasks.js';

/** A task, or where a workflow begins and ends. */
export interface GraphNode {
  /** Pointer of the task; `start` and `end`. */
  readonly id: string;
  /** Kind of the task, or `start` or `end`. */
  readonly kind: string;
  /** Name of the task, and in short what it does. */
  readonly label: string;
}

/** A list of tasks within a task: the body of a loop, a branch, a handler. */
export interface GraphGroup {
  /** Pointer of the list. */
  readonly id: string;
  readonly label: string;
  /** Pointer of the group around it; undefined at the top. */
  readonly parent: string | undefined;
  /** Its own tasks, without those of groups within it. */
  readonly nodes: readonly string[];
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** When it is taken; '' for always. */
  readonly label: string;
  /** `flow`: one after the other; `into`: from a task to the first of those within it; `error`: to what handles its errors. */
  readonly kind: 'flow' | 'into' | 'error';
}

export interface WorkflowGraph {
  readonly nodes: readonly GraphNode[];
  readonly groups: readonly GraphGroup[];
  readonly edges: readonly GraphEdge[];
}

export const START = 'start';
export const END = 'end';

/** The graph of a document that `parseWorkflow` accepts. The same document always gives the same graph, in its order. */
export function workflowGraph(document: JsonObject): WorkflowGraph {
  const tasks = placedTasks(document);
  const lists = Map.groupBy(
    tasks.filter(({ list }) => list !== FUNCTIONS_POINTER),
    ({ list }) => list,
  );
  const functions = tasks.filter(({ list }) => list === FUNCTIONS_POINTER);
  const main = lists.get('/do') ?? [];
  return {
    nodes: [{ id: START, kind: START, label: 'start' }, ...tasks.map(nodeOf), { id: END, kind: END, label: 'end' }],
    groups: [...groupsOf(tasks, lists), ...(functions.length > 0 ? [{ id: FUNCTIONS_POINTER, label: 'functions', parent: undefined, nodes: functions.map(({ pointer }) => pointer) }] : [])],
    edges: [{ from: START, to: main[0]?.pointer ?? END, label: '', kind: 'flow' }, ...tasks.flatMap((task) => [...flowEdges(task, lists.get(task.list) ?? []), ...innerEdges(task, lists)])],
  };
}

function nodeOf({ pointer, name, kind: known, task }: PlacedTask): GraphNode {
  const kind = known ?? 'task';
  return { id: pointer, kind, label: `${name}: ${kind}${detailOf(kind, task)}` };
}

function detailOf(kind: string, task: JsonObject): string {
  if (kind === 'call') return ` ${String(task['call'])}`;
  if (kind === 'run') return ` ${Object.keys(objectOf(task['run'])).find((key) => key !== 'await' && key !== 'return') ?? ''}`;
  return kind === 'fork' && objectOf(task['fork'])['compete'] === true ? ' compete' : '';
}

/** Lists within a task, by the key under which they stand. */
const INNER: readonly (readonly [key: string, label: string, kind: GraphEdge['kind']])[] = [
  ['do', 'do', 'into'],
  ['try', 'try', 'into'],
  ['catch/do', 'catch', 'error'],
  ['fork/branches', 'branches', 'into'],
  ['foreach/do', 'foreach', 'into'],
  ['with/subscription/foreach/do', 'foreach', 'into'],
];

const groupOf = (list: string): string | undefined => (list === '/do' ? undefined : list);

function groupsOf(tasks: readonly PlacedTask[], lists: ReadonlyMap<string, readonly PlacedTask[]>): readonly GraphGroup[] {
  const parents = new Map(tasks.map(({ pointer, list }) => [pointer, list === FUNCTIONS_POINTER ? list : groupOf(list)]));
  return [...lists].flatMap(([list, members]): GraphGroup[] => {
    if (list === '/do') return [];
    const { parent } = members[0]!;
    const key = list.slice(parent.length + 1);
    const label = INNER.find(([inner]) => inner === key)?.[1] ?? list.split('/').slice(-2).join(' ');
    return [{ id: list, label, parent: parents.get(parent), nodes: members.map(({ pointer }) => pointer) }];
  });
}

/** From a task to those that may follow it in its list. The last of a list within a task leads nowhere: the task around it goes on. */
function flowEdges(placed: PlacedTask, list: readonly PlacedTask[]): readonly GraphEdge[] {
  const { pointer, task, kind } = placed;
  if (placed.isBranch) return [];
  if (kind === 'raise' && task['if'] === undefined) return [];
  const isMain = placed.list === '/do';
  const edge = (then: Json | undefined, label: string): readonly GraphEdge[] => {
    const to = targetOf(then, placed, list) ?? (then === 'end' || isMain ? END : undefined);
    return to === undefined ? [] : [{ from: pointer, to, label, kind: 'flow' }];
  };
  if (kind === 'raise') return edge(undefined, 'otherwise');
  const choices = kind === 'switch' ? cases(task) : [];
  const edges = choices.flatMap(({ at, fields }) => edge(fields['then'], fields['when'] === undefined ? (at.split('/').at(-1) ?? '') : String(fields['when'])));
  const hasDefault = choices.some(({ fields }) => fields['when'] === undefined);
  const own = hasDefault ? [] : edge(task['then'], kind === 'switch' ? 'otherwise' : '');
  // What is skipped goes on to the next task, whatever `then` says.
  const skipped = task['if'] !== undefined && task['then'] !== undefined && task['then'] !== 'continue' ? edge(undefined, 'skipped') : [];
  return [...edges, ...own, ...skipped];
}

function targetOf(then: Json | undefined, { position, siblings }: PlacedTask, list: readonly PlacedTask[]): string | undefined {
  if (then === 'exit' || then === 'end') return undefined;
  const at = then === undefined || then === 'continue' ? position + 1 : siblings.get(String(then));
  return list.find((task) => task.position === at)?.pointer;
}

function innerEdges({ pointer, task, kind }: PlacedTask, lists: ReadonlyMap<string, readonly PlacedTask[]>): readonly GraphEdge[] {
  return INNER.flatMap(([key, label, edgeKind]) => {
    const members = lists.get(`${pointer}/${key}`) ?? [];
    const entered = key === 'fork/branches' ? members : members.slice(0, 1);
    return entered.map((member): GraphEdge => ({ from: pointer, to: member.pointer, label: innerLabel(label, task, kind), kind: edgeKind }));
  });
}

function innerLabel(label: string, task: JsonObject, kind: string | undefined): string {
  if (label === 'do' && kind === 'for') return `each ${String(objectOf(task['for'])['each'] ?? 'item')}`;
  if (label === 'foreach') return `each ${String(iteratorOf(task)?.fields['item'] ?? 'item')}`;
  return label === 'branches' ? 'at once' : label;
}
