// What a document refers to, fetched and locked when it is published: round after round, as a function may lead to others.
import type { Context, ToolsPeer } from '@weft/contracts';
import { rejection, type JsonObject, type Rejection } from '@weft/kernel';
import {
  isRead,
  readResource,
  RESOURCE_ROUNDS_MAX,
  RESOURCES_MAX,
  resourcesOf,
  unfixedProblems,
  type LockedResource,
  type ResourceLock,
  type ResourceReference,
  type Workflow,
  type WorkflowPorts,
} from '@weft/workflow';
import { refuseAll } from './refuse-all.js';

/** Who fetches resources. */
export type Resolver = Pick<ToolsPeer, 'resolveResources'>;

type FixedReference = ResourceReference & { readonly uri: string };

/**
 * Fetches and judges everything that a document refers to. What only an execution knows is left to it.
 * Refusals: `resource-unavailable` and `resource-invalid`, with all that is wrong in one round.
 */
export async function lockResources(workflow: Workflow, resolver: Resolver | undefined, ports: WorkflowPorts, context: Context): Promise<ResourceLock> {
  const document = workflow as unknown as JsonObject;
  const lock: Record<string, LockedResource> = {};
  let references = resourcesOf(document);
  for (let round = 1; references.length > 0; round++) {
    refuseAny(unfixedProblems(references));
    const wanted = distinct(references.filter(isFixed)).filter(({ uri }) => lock[uri] === undefined);
    if (wanted.length === 0) break;
    if (round > RESOURCE_ROUNDS_MAX) refuseAny([rejection('resource-invalid', `Expected functions that lead to others at most ${RESOURCE_ROUNDS_MAX} deep but ${wanted[0]!.uri} is deeper.`)]);
    const count = Object.keys(lock).length + wanted.length;
    if (count > RESOURCES_MAX) refuseAny([rejection('resource-invalid', `Expected at most ${RESOURCES_MAX} external resources but there are ${count}.`)]);
    references = await lockRound(document, wanted, lock, { resolver, ports, context });
  }
  return lock;
}

interface Locking {
  readonly resolver: Resolver | undefined;
  readonly ports: WorkflowPorts;
  readonly context: Context;
}

/** @returns what the functions of this round refer to. */
async function lockRound(document: JsonObject, wanted: readonly FixedReference[], lock: Record<string, LockedResource>, { resolver, ports, context }: Locking): Promise<readonly ResourceReference[]> {
  if (!resolver) return refuseAll([rejection('resource-unavailable', `Expected no external resources, as there is nobody to fetch them, but ${wanted[0]!.pointer} names ${wanted[0]!.uri}.`)]);
  const { resources } = await resolver.resolveResources(
    { resources: wanted.map(({ uri, kind, authentication }) => ({ uri, wantsText: isRead(kind), authenticationJson: authentication === undefined ? '' : JSON.stringify(authentication) })) },
    context,
  );
  const problems: Rejection[] = [];
  const further: ResourceReference[] = [];
  for (const [position, { digest, mediaType, text, problem }] of resources.entries()) {
    const reference = wanted[position]!;
    const { uri, kind, pointer } = reference;
    if (problem !== '') {
      problems.push(rejection('resource-unavailable', `Expected the ${kind} of ${pointer} but it cannot be had: ${problem}`, { details: { pointer } }));
      continue;
    }
    if (!isRead(kind)) {
      lock[uri] = { kind, digest, mediaType };
      continue;
    }
    const reading = readResource(document, reference, text, ports);
    if (!reading.ok) {
      problems.push(...reading.rejections);
      continue;
    }
    lock[uri] = { kind, digest, mediaType, content: reading.content };
    further.push(...reading.further);
  }
  refuseAny(problems);
  return further;
}

const isFixed = (reference: ResourceReference): reference is FixedReference => reference.uri !== undefined;

/** One of each URI; what the interpreter reads before what it does not, so that the text is asked for. */
function distinct(references: readonly FixedReference[]): readonly FixedReference[] {
  const sorted = references.toSorted((a, b) => Number(isRead(b.kind)) - Number(isRead(a.kind)));
  return [...new Map(sorted.toReversed().map((reference) => [reference.uri, reference])).values()].toReversed();
}

function refuseAny(problems: readonly Rejection[]): void {
  if (problems.length > 0) refuseAll(problems);
}
