// A plan written as a workflow document, compiled once.
import type { Json } from '@weft/kernel';
import { CANCELLED } from '@weft/workflow';
import { compileProgram, type DefinitionVersion, type Program } from '@weft/orchestration/core';
import { agentBounds, expectedOf, planOf, type Expected, type PlannedTask, type Sending } from './plan.js';
import { Random } from './random.js';

/** Definitions that a simulation draws from. Compiling is dear and a definition never changes. */
export const DEFINITIONS = 600;

export interface Definition {
  readonly digest: string;
  readonly program: Program;
  readonly document: Json;
  /** What must come of it, by the total that it starts with. */
  readonly expected: (from: number) => Expected;
  /** Names of tasks that the receiver refuses, and how often. */
  readonly refusals: ReadonlyMap<string, number>;
  /** The most that its agents may add outside, by counter. */
  readonly agentBounds: ReadonlyMap<string, number>;
  /** Events that it listens for. */
  readonly listens: readonly { readonly name: string; readonly isCorrelated: boolean }[];
}

const compiled = new Map<number, Definition>();

export const digestOf = (number: number): string => `definition-${number}`;

/** A version that moves every task by one that never runs: nothing else is changed. */
const NEXT = '2.0.0';
const next = new Map<string, Program>();

/** The program of a digest, of a definition or of its next version. */
export function programOf(digest: string): Program {
  const [, number, version] = digest.split('-');
  const { program, document } = definitionOf(Number(number));
  if (version !== NEXT) return program;
  const known = next.get(digest);
  if (known) return known;
  const { do: tasks, document: head, ...rest } = document as { readonly do: readonly Json[]; readonly document: Fields };
  const moved = compileProgram({ ...rest, document: { ...head, version: NEXT }, do: [{ inserted: { if: 'false', set: { total: 0 } } }, ...tasks] } as Json);
  next.set(digest, moved);
  return moved;
}

/** The version that an execution can be migrated to; undefined when it was. */
export function nextVersionOf(definition: DefinitionVersion): DefinitionVersion | undefined {
  return definition.version === NEXT ? undefined : { ...definition, version: NEXT, digest: `${definition.digest}-${NEXT}` };
}

/** The definition of a number: the same in every process. */
export function definitionOf(number: number): Definition {
  const known = compiled.get(number);
  if (known) return known;
  const plan = planOf(new Random(number + 1_000_003), number >= DEFINITIONS);
  const document: Json = {
    document: { dsl: '1.0.3', namespace: 'sim', name: `plan-${number}`, version: '1.0.0' },
    ...(number % 3 === 0 ? { timeout: { after: 'P1D' } } : {}),
    use: { functions: functionsOf(plan), ...(number % 4 === 0 ? { extensions: AROUND } : {}) },
    do: plan.flatMap(tasksOf),
  };
  const refusals = new Map<string, number>();
  for (const task of effectsIn(plan)) if (task.refusals > 0) refusals.set(task.name, task.refusals);
  const definition = {
    digest: digestOf(number),
    program: compileProgram(document),
    document,
    expected: (from: number) => expectedOf(plan, from),
    refusals,
    agentBounds: agentBounds(plan),
    listens: listensIn(plan),
  };
  compiled.set(number, definition);
  return definition;
}

/** All tasks of a plan, those inside others too. */
function allIn(tasks: readonly PlannedTask[]): readonly PlannedTask[] {
  return tasks.flatMap((task) => {
    switch (task.kind) {
      case 'do':
      case 'for':
      case 'hurry':
        return [task, ...allIn(task.tasks)];
      case 'late':
      case 'misfit':
        return [task, task.rescue];
      case 'gather':
        return task.how === 'each' ? [task, task.effect] : [task];
      case 'try':
      case 'shelter':
        return [task, ...allIn(task.tasks), ...allIn(task.rescue)];
      case 'fork':
      case 'race':
        return [task, ...allIn(task.branches)];
      case 'jump':
        return [task, task.jumped];
      case 'loop':
        return [task, task.effect];
      default:
        return [task];
    }
  });
}

const effectsIn = (plan: readonly PlannedTask[]) => allIn(plan).filter((task) => task.kind === 'effect');
/** Names of the two events that a task gathers. */
const gatheredBy = ({ name }: PlannedTask): readonly string[] => [`${name}a`, `${name}b`];

const listensIn = (plan: readonly PlannedTask[]): Definition['listens'] =>
  allIn(plan).flatMap((task): Definition['listens'] => {
    if (task.kind === 'gather') return gatheredBy(task).map((name) => ({ name, isCorrelated: false }));
    return task.kind === 'listen' ? [task] : [];
  });

/** Type of the event that a `listen` waits for: whoever does not correlate takes any of its type. */
export const signalType = ({ name, isCorrelated }: { readonly name: string; readonly isCorrelated: boolean }): string => `sim.${isCorrelated ? 'correlated' : 'signal'}.${name}`;

type Fields = { readonly [name: string]: Json };

const KEEP: Fields = { output: { as: '$input' } };
const ADD: Fields = { output: { as: '{ total: ($input.total + .amount) }' } };
const METHODS: Readonly<Partial<Record<Sending, string>>> = { put: 'put', post: 'post' };

/** Half of the lists are functions that are called. */
const isFunction = ({ name }: PlannedTask): boolean => Number(/\d+$/.exec(name)?.[0]) % 2 === 1;

const functionsOf = (plan: readonly PlannedTask[]): Fields =>
  Object.fromEntries(allIn(plan).flatMap((task) => (task.kind === 'do' && isFunction(task) ? [[task.name, { do: task.tasks.flatMap(tasksOf) }]] : [])));

/** Extensions that change nothing of what comes of a plan, but stand before and after much of it. */
const AROUND: Json = [
  { slow: { extend: 'call', when: '.total % 3 == 0', before: [{ held: { wait: { milliseconds: 20 } } }], after: [{ noted: { set: { total: -1 } } }] } },
  { told: { extend: 'all', when: '.total % 2 == 0', before: [{ mark: { set: '${ "marked" }' } }], after: [{ rest: { wait: { milliseconds: 10 } } }] } },
];

/** One planned task as tasks of a document: some take two. */
function tasksOf(task: PlannedTask): readonly Fields[] {
  const named = (fields: Fields): readonly Fields[] => [{ [task.name]: fields }];
  switch (task.kind) {
    case 'effect':
      return named(effect(task));
    case 'set':
      return named({ set: { total: `\${ .total + ${task.plus} }` } });
    case 'read':
      return named({ call: 'tool', with: { name: 'look', arguments: { counter: task.name } }, ...KEEP });
    case 'emit':
      return named({ emit: { event: { with: { type: 'sim.told.v1', source: 'https://sim.test', data: { total: '${ .total }' } } } }, ...KEEP });
    case 'review':
      return named({ call: 'review', with: { title: 'Go on?', subject: { total: '${ .total }' }, ...termsOf(task.name) }, ...KEEP });
    case 'remember':
      return named({ call: 'remember', with: { scope: 'sim', text: '${ "total \\(.total)" }' }, ...KEEP });
    case 'recall':
      return named({ call: 'recall', with: { scope: 'sim' }, ...KEEP });
    case 'validate':
      return named({ call: 'validate', with: { value: '${ . }', schema: { type: 'object' } }, ...KEEP });
    case 'infer':
      return named({ call: 'infer', with: { messages: [{ role: 'user', content: 'hello' }] }, ...KEEP });
    case 'agent': {
      const script = task.turns.map((effects) => effects.map(({ name, sending, amount }) => ({ name: sending, arguments: { counter: name, amount } })));
      return named({ call: 'agent', with: { instructions: 'Do it.', prompt: { script }, tools: ['idempotent', 'hook*'], limits: { calls: task.callsMax }, onLimit: 'answer', parallel: 2 }, ...KEEP });
    }
    case 'wait':
      return named({ wait: { milliseconds: task.ms } });
    case 'skipped':
      return named({ if: '.total < 0', set: { total: -1 } });
    case 'do':
      return isFunction(task) ? named({ call: task.name, with: { total: '${ .total }' } }) : named({ do: task.tasks.flatMap(tasksOf) });
    case 'try':
      return named({ try: task.tasks.flatMap(tasksOf), catch: clause(task) });
    case 'shelter':
      return named({ try: task.tasks.flatMap(tasksOf), catch: { errors: { with: { type: CANCELLED.type } }, do: task.rescue.flatMap(tasksOf) } });
    case 'jump':
      return [
        { [task.name]: { switch: [{ odd: { when: '.total % 2 == 1', then: task.landing } }, { even: { then: 'continue' } }] } },
        ...tasksOf(task.jumped),
        { [task.landing]: { set: { total: '${ .total + 1 }' } } },
      ];
    case 'loop': {
      const { amount } = task.effect;
      // Before the first round the goal is unknown: it is kept in the context, and taken out by the last one.
      const goal = `\${ if $context.${task.name} then $context else ($context + { ${task.name}: ($input.total + ${amount * task.rounds}) }) end }`;
      return [
        { [task.effect.name]: { ...effect(task.effect), export: { as: goal } } },
        { [task.name]: { switch: [{ more: { when: `.total < $context.${task.name}`, then: task.effect.name } }, { done: { then: 'continue' } }] } },
      ];
    }
    case 'for':
      return named({ for: { each: 'item', in: `[range(${task.passes})]` }, do: task.tasks.flatMap(tasksOf) });
    case 'fork':
      return named({ fork: { branches: task.branches.flatMap(tasksOf) }, output: { as: '{ total: (map(.total) | add) }' } });
    case 'race':
      return named({ fork: { compete: true, branches: task.branches.flatMap(tasksOf) }, ...KEEP });
    case 'listen': {
      const correlate = task.isCorrelated ? { correlate: { request: { from: '${ .data.request }', expect: '${ $workflow.input.request }' } } } : {};
      return named({ listen: { to: { one: { with: { type: signalType(task) }, ...correlate } } }, ...KEEP });
    }
    case 'gather': {
      const filters = gatheredBy(task).map((name) => ({ with: { type: signalType({ name, isCorrelated: false }) } }));
      const to: Fields = task.how === 'until' ? { any: filters, until: 'length >= 2' } : { all: filters };
      return named({ listen: { to }, ...(task.how === 'each' ? { foreach: { do: tasksOf(task.effect) } } : {}), ...KEEP });
    }
    case 'late':
      return named(late(task));
    case 'hurry':
      return named({ try: [{ hurried: { timeout: { after: { milliseconds: task.ms } }, do: task.tasks.flatMap(tasksOf) } }], catch: LATE, ...KEEP });
    case 'misfit': {
      const { place, rescue } = task;
      const unfit: Fields = { set: '${ . }', [place]: { ...(place === 'export' ? { as: '$context' } : {}), schema: { document: { not: {} } } } };
      return named({ try: [{ unfit }], catch: { errors: { with: { status: 400 } }, do: tasksOf(rescue) } });
    }
    case 'children': {
      const workflow = { namespace: 'sim', name: `plan-${DEFINITIONS + task.child}`, version: '1.0.0' };
      const items = `\${ [range(${task.items})] | map({ total: . }) }`;
      const run: Fields = task.items === 0 ? { run: { workflow: { ...workflow, input: { total: '${ .total }' } } } } : { call: 'map', with: { in: items, workflow, concurrency: 2 } };
      return named({ try: [{ others: run }], catch: { errors: {} }, ...KEEP });
    }
    case 'raise':
      return named({ raise: { error: { type: 'https://sim.test/errors/raised', status: 418 } } });
  }
}

/** One review in three takes two people; one in four is for somebody else at first, and falls late. */
function termsOf(name: string): Fields {
  const number = Number(/\d+$/.exec(name)?.[0]);
  const late = { assignees: ['user:person-1'], remindAfter: 'PT1S', due: 'PT2S', escalate: { after: 'PT3S', to: 'role:heads' } };
  return { ...(number % 3 === 0 ? { approvals: 2 } : {}), ...(number % 4 === 1 ? late : {}) };
}

function effect({ name, sending, amount }: PlannedTask & { kind: 'effect' }): Fields {
  const method = METHODS[sending];
  if (method === undefined) return { call: 'tool', with: { name: sending, arguments: { counter: name, amount } }, ...ADD };
  return { call: 'http', with: { method, endpoint: 'https://sim.test/add', body: { counter: name, amount } }, ...ADD };
}

const LATE: Fields = { errors: { with: { status: 408 } } };

function late({ limited, ms, rescue }: PlannedTask & { kind: 'late' }): Fields {
  const pause: Fields = { wait: { hours: 1 } };
  if (limited === 'task') return { try: [{ pause: { ...pause, timeout: { after: { milliseconds: ms } } } }], catch: { ...LATE, do: tasksOf(rescue) } };
  return { try: [{ pause }], catch: { ...LATE, retry: { limit: { attempt: { count: 1, duration: { milliseconds: ms } } } }, do: tasksOf(rescue) } };
}

function clause({ retries, delayMs, isLimited, rescue }: PlannedTask & { kind: 'try' }): Fields {
  return {
    errors: {},
    ...(retries > 0
      ? {
          retry: {
            ...(delayMs > 0 ? { delay: { milliseconds: delayMs } } : {}),
            limit: { attempt: { count: retries, ...(isLimited ? { duration: 'PT1H' } : {}) }, ...(isLimited ? { duration: 'PT1H' } : {}) },
          },
        }
      : {}),
    ...(rescue.length > 0 ? { do: rescue.flatMap(tasksOf) } : {}),
  };
}
