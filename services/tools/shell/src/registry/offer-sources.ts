// Which tools a model may be told of in a job: those that are there and accepted, and that whoever acts may use in some circumstances.
import type { Job } from '@weft/contracts';
import { isJsonObject } from '@weft/kernel';
import type { OfferSources, ToolForModel } from '@weft/tools/core';
import { requestOf } from '../carry-out/permission-step.js';
import type { Permissions } from '../permission/permissions.js';
import type { Registry } from './registry.js';
import type { ToolEntry } from './tool-entry.js';

type Usable = Exclude<ToolEntry, { readonly kind: 'closed' }>;

/** What is asked about a tool that cannot be used: whether it is there is nobody's business who may not use it. */
const NO_TOOL = { pin: '', effect: 'read', data: 'public', source: '' } as const;

/** Circumstances are not looked at where it is asked whether something may be used at all. */
const NO_TIME = 0;

export function offerSources(registry: Registry, permissions: Pick<Permissions, 'withheld'>, job: Job): OfferSources {
  const usable = (name: string): Usable | undefined => {
    const entry = registry.find(name);
    return entry === undefined || entry.kind === 'closed' ? undefined : entry;
  };
  return {
    names: registry.names,
    find: (name) => toolForModel(usable(name)),
    objectionTo: (name) => {
      const { pin, effect, data, source } = usable(name) ?? NO_TOOL;
      const withheld = permissions.withheld(requestOf(job, { action: 'call', name, pin, effect, data, source }, {}, NO_TIME), job.attenuation);
      const entry = registry.find(name);
      return withheld ?? (entry?.kind === 'closed' ? entry.failure.message : undefined);
    },
  };
}

const toolForModel = (entry: Usable | undefined): ToolForModel | undefined =>
  entry && { name: entry.name, description: entry.description, input: isJsonObject(entry.input) ? entry.input : { type: 'object' } };
