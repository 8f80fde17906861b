// Publishes a definition version: read, checked, its external resources locked, stored.
import type { Context } from '@weft/contracts';
import { Defect, rejection, type Json } from '@weft/kernel';
import { compileProgram } from '@weft/orchestration/core';
import { lockedDefinitionText, parseWorkflow, definitionText, type ResourceLock, type Workflow, type WorkflowPorts } from '@weft/workflow';
import { createHash } from 'node:crypto';
import type { DefinitionStore, StoredDefinition } from '../persist/definition-store.js';
import { lockResources, type Resolver } from './lock-resources.js';
import { refuseAll } from './refuse-all.js';
import type { Scheduling } from './scheduling.js';

export interface Published {
  readonly stored: StoredDefinition;
  /** Whether it was not there before. */
  readonly created: boolean;
  readonly resources: ResourceLock;
}

/** A document that may be published. */
export interface Readable {
  readonly workflow: Workflow;
  readonly digest: string;
  readonly resources: ResourceLock;
}

export class Publishing {
  constructor(
    private readonly definitions: DefinitionStore,
    private readonly scheduling: Scheduling,
    private readonly resolver: Resolver | undefined,
    private readonly ports: WorkflowPorts,
  ) {}

  /**
   * Publishes a document in YAML or JSON. The same document with the same resources again is the same version.
   * Refusals: `workflow-syntax`, `workflow-invalid`, `resource-unavailable`, `resource-invalid`, `conflict`.
   */
  async publish(text: string, context: Context): Promise<Published> {
    const { workflow, digest, resources } = await this.read(text, context);
    const { namespace, name, version, title = name } = workflow.document;
    const { stored, created } = await this.definitions.put(context.tenant, { namespace, name, version, digest, title }, definitionText(workflow), resources, (query) =>
      this.scheduling.deployed(query, { tenant: context.tenant, namespace, name }, { version, digest }, workflow as unknown as Json),
    );
    return { stored, created, resources };
  }

  /** Reads, checks and locks a document as it would be published, and stores nothing. Refusals: those of `publish` but `conflict`. */
  async read(text: string, context: Context): Promise<Readable> {
    const parsed = parseWorkflow(text, this.ports);
    if (!parsed.ok) return refuseAll(parsed.rejections);
    const { workflow } = parsed;
    const resources = await lockResources(workflow, this.resolver, this.ports, context);
    mustCompile(workflow as unknown as Json, resources);
    const digests = Object.fromEntries(Object.entries(resources).map(([uri, { digest }]) => [uri, digest]));
    return { workflow, resources, digest: createHash('sha256').update(lockedDefinitionText(workflow, digests)).digest('hex') };
  }
}

/** What only shows when functions stand where they are called is refused here, and not met by executions. */
function mustCompile(document: Json, resources: ResourceLock): void {
  try {
    compileProgram(document, new Map(Object.entries(resources)));
  } catch (fault) {
    if (!(fault instanceof Defect)) throw fault;
    refuseAll([rejection('workflow-invalid', `Expected a definition that can be carried out but it cannot: ${fault.message}.`)]);
  }
}
