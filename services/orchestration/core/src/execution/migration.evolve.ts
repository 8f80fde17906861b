// An execution that was taken over to another version, folded: everything that names a task names it as it is now.
import type { Step } from '../interpreter/advance.js';
import type { ExecutionDraft } from './execution.draft.js';
import type { ActivationKey, ExecutionEvent } from './execution.events.js';
import type { Activation, ExecutionState } from './execution.state.js';

type Migrated = Extract<ExecutionEvent, { type: 'DefinitionMigrated' }>;
type Parts = Pick<ExecutionState, 'activations' | 'branches' | 'jobs' | 'timers' | 'reviews' | 'listens' | 'agents'>;

/** Ids of jobs, timers, reviews and listens stay as they are: what was done and what is waited for is the same. */
export function migrate(draft: ExecutionDraft, event: Migrated): void {
  const { held, interrupted, cancelling, ...state } = draft.state;
  const names = new Renaming(event);
  if (!event.origins) draft.clear('origins');
  draft.set({
    definition: event.to,
    ...names.parts(state),
    ...(event.origins ? { origins: event.origins } : {}),
    ...(held ? { held: held.map((step) => names.step(step)) } : {}),
    ...(cancelling ? { cancelling } : {}),
    ...(interrupted ? { interrupted: { ...interrupted, ...names.parts(interrupted), ...(interrupted.task ? { task: { ...interrupted.task, key: names.key(interrupted.task.key) } } : {}) } } : {}),
  });
}

class Renaming {
  constructor(private readonly event: Migrated) {}

  key(key: ActivationKey): ActivationKey {
    const at = key.indexOf('#');
    return at < 0 ? this.#pointer(key) : this.#pointer(key.slice(0, at)) + key.slice(at);
  }

  /** Everything in a state that is about activations. */
  parts<T extends Parts>(state: T): Parts {
    const { activations, branches, agents } = state;
    // What is about activations says so by its `key`, whatever it is.
    const others = Object.entries(state).flatMap(([name, part]) => (isKeyed(part) && !OWN.has(name) ? [[name, this.#rekeyed(part)] as const] : []));
    return {
      ...Object.fromEntries(others),
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

  step(step: NonNullable<Step>): NonNullable<Step> {
    const named = { ...step } as Record<string, unknown>;
    for (const field of ['key', 'scope', 'origin'] as const) if (typeof named[field] === 'string') named[field] = this.key(named[field]);
    if (step.go === 'branch') named['branch'] = this.#branch(step.scope, step.branch);
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
      visits: Object.fromEntries(Object.entries(visits).map(([visited, times]) => [this.#pointer(visited), times])),
      ...(branch === undefined || fork === undefined ? {} : { branch: this.#branch(fork, branch) }),
      ...(step ? { step: { ...step, agent: this.key(step.agent) } } : {}),
    };
  }

  #rekeyed(part: Keyed): Keyed {
    return mapEntries(part, (entry, id) => {
      const key = this.key(entry.key);
      return [id, key === entry.key ? entry : { ...entry, key }];
    });
  }
}

type Keyed = Readonly<Record<string, { readonly key: ActivationKey }>>;

/** Parts with more in them than a `key`. */
const OWN: ReadonlySet<string> = new Set(['activations', 'branches', 'agents']);

const isKeyed = (part: unknown): part is Keyed =>
  typeof part === 'object' &&
  part !== null &&
  !Array.isArray(part) &&
  Object.values(part).length > 0 &&
  Object.values(part).every((entry: unknown) => typeof (entry as { key?: unknown } | null)?.key === 'string');

const mapEntries = <T>(record: Readonly<Record<string, T>>, of: (entry: T, id: string) => readonly [string, T]): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([id, entry]) => of(entry, id)));
