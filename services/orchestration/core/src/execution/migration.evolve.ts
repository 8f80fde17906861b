// An execution that was taken over to another version, folded: everything that names a task names it as it is now.
import type { Step } from '../interpreter/advance.js';
import type { ExecutionDraft } from './execution.draft.js';
import type { ActivationKey, ExecutionEvent, FailedTask } from './execution.events.js';
import type { Activation, ExecutionState } from './execution.state.js';

type Migrated = Extract<ExecutionEvent, { type: 'DefinitionMigrated' }>;
type Parts = Pick<ExecutionState, 'activations' | 'branches' | 'jobs' | 'timers' | 'reviews' | 'listens' | 'agents' | 'children'>;

/** Ids of jobs, timers, reviews and listens stay as they are: what was done and what is waited for is the same. */
export function migrate(draft: ExecutionDraft, event: Migrated): void {
  const { held, interrupted, cancelling, ...state } = draft.state;
  const names = new Renaming(event);
  if (!event.origins) draft.clear('origins');
  draft.set({
    definition: event.to,
    ...names.parts(state),
    ...(event.origins ? { origins: event.origins } : {}),
    ...(held ? { held: held.map((step, index) => names.step(step, event.held?.[index])) } : {}),
    ...(cancelling ? { cancelling } : {}),
    ...(interrupted ? { interrupted: { ...interrupted, ...names.parts(interrupted), ...(interrupted.task ? { task: names.failed(interrupted.task) } : {}) } } : {}),
  });
}

class Renaming {
  constructor(private readonly event: Migrated) {}

  key(key: ActivationKey): ActivationKey {
    const at = key.indexOf('#');
    return at < 0 ? this.#pointer(key) : this.#pointer(key.slice(0, at)) + key.slice(at);
  }

  failed(task: FailedTask): FailedTask {
    const { failedAt: position = task.position } = this.event;
    return { key: this.key(task.key), ...(position === undefined ? {} : { position }) };
  }

  /** Everything in a state that is about activations. */
  parts<T extends Parts>(state: T): Parts {
    const { activations, branches, agents } = state;
    return {
      ...Object.fromEntries(KEYED.flatMap((name) => (state[name] ? [[name, this.#rekeyed(state[name])]] : []))),
      activations: mapEntries(activations, (activation) => [this.key(activation.key), this.#activation(activation, activations)]),
      branches: mapEntries(branches, (ended) => {
        const [key, branch] = [this.key(ended.key), this.#branch(ended.key, ended.branch)];
        return [`${key}\n${branch}`, { ...ended, key, branch }];
      }),
      ...(agents
        ? {
            agents: mapEntries(agents, (agent) => [
              this.key(agent.key),
              { ...agent, key: this.key(agent.key), ...(agent.within ? { within: { ...agent.within, agent: this.key(agent.within.agent) } } : {}) },
            ]),
          }
        : {}),
    } as Parts;
  }

  /** @param position of the task that it enters by now. */
  step(step: NonNullable<Step>, position: number | undefined): NonNullable<Step> {
    const named = { ...step } as Record<string, unknown>;
    for (const field of ['key', 'scope', 'origin'] as const) if (typeof named[field] === 'string') named[field] = this.key(named[field]);
    if (step.go === 'branch') named['branch'] = this.#branch(step.scope, step.branch);
    if (step.go === 'enter' && position !== undefined) named['position'] = position;
    return named as NonNullable<Step>;
  }

  #pointer(pointer: string): string {
    return this.event.pointers[pointer] ?? pointer;
  }

  #branch(fork: ActivationKey, branch: number): number {
    return this.event.branches?.[fork]?.[branch] ?? branch;
  }

  #activation(activation: Activation, all: Parts['activations']): Activation {
    const { key, pointer, parent, visits, branch, step } = activation;
    const fork = parent === undefined ? undefined : all[parent]?.key;
    return {
      ...activation,
      key: this.key(key),
      pointer: this.#pointer(pointer),
      parent: parent === undefined ? undefined : this.key(parent),
      visits: this.#visits(visits),
      ...(branch === undefined || fork === undefined ? {} : { branch: this.#branch(fork, branch) }),
      ...(step ? { step: { ...step, agent: this.key(step.agent) } } : {}),
    };
  }

  /** What a task has moved to counts its rounds, not those of the one that was there. */
  #visits(visits: Activation['visits']): Activation['visits'] {
    const entries = Object.entries(visits).map(([visited, times]) => [this.#pointer(visited), times, visited] as const);
    const isMoved = ([now, , visited]: (typeof entries)[number]): boolean => now !== visited;
    return Object.fromEntries([...entries.filter((entry) => !isMoved(entry)), ...entries.filter(isMoved)]);
  }

  #rekeyed(part: Keyed): Keyed {
    return mapEntries(part, (entry, id) => {
      const key = this.key(entry.key);
      return [id, key === entry.key ? entry : { ...entry, key }];
    });
  }
}

type Keyed = Readonly<Record<string, { readonly key: ActivationKey }>>;

/** Parts whose entries say by their `key` which activation they are of. */
const KEYED = ['jobs', 'timers', 'reviews', 'listens', 'children'] as const;

const mapEntries = <T>(record: Readonly<Record<string, T>>, of: (entry: T, id: string) => readonly [string, T]): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([id, entry]) => of(entry, id)));
