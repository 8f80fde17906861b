// Which definition version a workflow's name stands for: asked of orchestration, once a workflow and batch.
import type { DefinitionRef, OrchestrationPeer } from '@weft/contracts';
import type { Choice } from '@weft/routing/core';
import { Refused, rejection, type Rejection } from '@weft/kernel';
import type { Incoming } from './check-request.js';

export type Resolution =
  | { readonly kind: 'resolved'; readonly definition: DefinitionRef }
  | { readonly kind: 'refused'; readonly refusal: Rejection }
  | { readonly kind: 'fault'; readonly fault: unknown };

// A version that is named never changes; the latest may change at any time and is asked for again.
const PINNED_MAX = 10_000;

/** Resolves workflows through orchestration; remembers versions that were named. */
export class WorkflowResolver {
  readonly #pinned = new Map<string, DefinitionRef>();

  constructor(private readonly orchestration: Pick<OrchestrationPeer, 'resolveDefinition'>) {}

  /** One resolution for each of the choices, in their order. Equal ones are asked once. */
  async resolveAll(choices: readonly { readonly incoming: Incoming; readonly choice: Choice }[]): Promise<readonly Resolution[]> {
    const asked = new Map<string, Promise<Resolution>>();
    return Promise.all(
      choices.map(({ incoming, choice }) => {
        const { namespace, name, version } = choice.workflow;
        const key = [incoming.tenant, namespace, name, version].join('\n');
        const resolution = asked.get(key) ?? this.#resolve(key, incoming, choice);
        asked.set(key, resolution);
        return resolution;
      }),
    );
  }

  async #resolve(key: string, { context }: Incoming, { rule, workflow }: Choice): Promise<Resolution> {
    const pinned = this.#pinned.get(key);
    if (pinned) return { kind: 'resolved', definition: pinned };
    try {
      const { ref } = await this.orchestration.resolveDefinition({ ...workflow }, context);
      if (ref === undefined) return { kind: 'refused', refusal: unknownWorkflow(rule, workflow, 'orchestration names no version of it') };
      if (workflow.version !== '') this.#remember(key, ref);
      return { kind: 'resolved', definition: ref };
    } catch (thrown) {
      if (!(thrown instanceof Refused) || thrown.rejection.retryable) return { kind: 'fault', fault: thrown };
      return { kind: 'refused', refusal: unknownWorkflow(rule, workflow, thrown.rejection.message) };
    }
  }

  #remember(key: string, definition: DefinitionRef): void {
    this.#pinned.set(key, definition);
    if (this.#pinned.size <= PINNED_MAX) return;
    const oldest = this.#pinned.keys().next();
    if (!oldest.done) this.#pinned.delete(oldest.value);
  }
}

function unknownWorkflow(rule: string, { namespace, name, version }: Choice['workflow'], why: string): Rejection {
  const workflow = `${namespace}/${name}${version === '' ? '' : `:${version}`}`;
  return rejection('unknown-workflow', `Expected workflow ${workflow} of route ${rule} to be deployed but it is not: ${why}`, { details: { workflow, route: rule } });
}
