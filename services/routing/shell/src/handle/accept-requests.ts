// Accepting requests in batches: select, resolve, store in one statement, then tell. The first answer to a name stands for ever.
import type { Context, Selection } from '@weft/contracts';
import { rejection, uuidv7, type Rejection } from '@weft/kernel';
import { CommitUnknown, failpoint, Fault, type Bus, type Clock, type Outgoing } from '@weft/pipeline';
import { select, type Choice } from '@weft/routing/core';
import { ATTRIBUTE, openSpan, SPAN, traced, type OpenSpan } from '@weft/telemetry';
import { randomBytes } from 'node:crypto';
import { announcementOf } from '../publish/announcements.js';
import { isSameRequest, type DecidedRequest, type StoredRequest } from '../persist/request-record.js';
import { nameText, type RequestStore } from '../persist/request.store.js';
import type { VersionedTable } from '../table/load-route-table.js';
import type { Admission } from './admission.js';
import type { Incoming } from './check-request.js';
import type { Resolution, WorkflowResolver } from './resolve-workflows.js';

/** A request that waits for its answer. */
export interface Candidate {
  readonly incoming: Incoming;
  /**
   * Whether a refusal is stored and answered by a result event; otherwise it leaves nothing behind. Who cannot be told to come
   * back is never turned away for want of a place: the bus is read only while there is room.
   */
  readonly keepsRefusal: boolean;
}

/** What became of a request. `isDuplicate`: this is the answer that was given before. */
export type Acceptance =
  | { readonly kind: 'accepted'; readonly request: DecidedRequest | StoredRequest; readonly selection: Selection; readonly isDuplicate: boolean }
  | { readonly kind: 'refused'; readonly refusal: Rejection; readonly isDuplicate: boolean }
  | { readonly kind: 'fault'; readonly fault: unknown };

export interface AcceptPorts {
  readonly table: VersionedTable;
  readonly workflows: Pick<WorkflowResolver, 'resolveAll'>;
  readonly store: Pick<RequestStore, 'store' | 'find' | 'settle'>;
  readonly admission: Pick<Admission, 'places' | 'accepted' | 'refusal'>;
  readonly bus: Bus;
  readonly clock: Clock;
  /** Undefined while telemetry is off. */
  readonly tracer: () => Parameters<typeof openSpan>[0];
  /** Told when stored requests could not be handed on: they are redelivered. */
  readonly onFault: (fault: unknown, what: string) => void;
}

// What is stored is safe: an answer waits for a slow bus only this long.
const HAND_ON_PATIENCE_MS = 250;
const STORE_ATTEMPTS_MAX = 2;

/** Accepts a batch. @returns one acceptance a candidate, in their order; each accepted one is durable. */
export async function acceptRequests(ports: AcceptPorts, candidates: readonly Candidate[]): Promise<readonly Acceptance[]> {
  const spans = candidates.map(({ incoming }) => openSpan(ports.tracer(), SPAN.select, { context: incoming.context, attributes: { [ATTRIBUTE.request]: incoming.id } }));
  const drafts = await decideAll(ports, candidates, spans);
  const acceptances = await settleNames(ports, candidates, drafts);
  acceptances.forEach((acceptance, index) => {
    if (acceptance.kind === 'accepted') spans[index]!.span?.setAttribute(ATTRIBUTE.route, acceptance.selection.rule);
    spans[index]!.end(acceptance.kind === 'fault' ? acceptance.fault : undefined);
  });
  return acceptances;
}

/** What would be stored, before it is known whether the name is free. */
type Draft = { readonly kind: 'decided'; readonly request: DecidedRequest } | { readonly kind: 'fault'; readonly fault: unknown };

async function decideAll(ports: AcceptPorts, candidates: readonly Candidate[], spans: readonly OpenSpan[]): Promise<readonly Draft[]> {
  const selected = candidates.map(({ incoming }) => select(ports.table.table, incoming, ports.table.digestOf));
  const chosen = selected.flatMap((selection, index) => (selection.ok ? [{ incoming: candidates[index]!.incoming, choice: selection.choice }] : []));
  const resolutions = (await ports.workflows.resolveAll(chosen)).values();
  const now = ports.clock.now();
  return candidates.map(({ incoming }, index) => {
    const selection = selected[index]!;
    const verdict = selection.ok ? verdictOf(ports.table.version, selection.choice, resolutions.next().value!) : ({ status: 'refused', refusal: selection.rejection } as const);
    if ('fault' in verdict) return { kind: 'fault', fault: verdict.fault };
    const executionId = uuidv7(now, randomBytes(10));
    const { tenant, source, id, type, subject, dataJson } = incoming;
    return {
      kind: 'decided',
      request: { tenant, source, id, type, subject, dataJson, executionId, verdict, acceptedAt: now, context: contextOfExecution(incoming, executionId, spans[index]!.context) },
    };
  });
}

function verdictOf(tableVersion: string, choice: Choice, resolution: Resolution): DecidedRequest['verdict'] | { readonly fault: unknown } {
  if (resolution.kind === 'fault') return { fault: resolution.fault };
  if (resolution.kind === 'refused') return { status: 'refused', refusal: resolution.refusal };
  const { rule, reasons, rejected, models } = choice;
  return { status: 'accepted', selection: { tableVersion, rule, definition: resolution.definition, reasons: [...reasons], rejected: [...rejected], models: [...models] } };
}

/** Everything a request says came from outside: the execution's values carry that label until something clears it. */
function contextOfExecution({ source, type }: Incoming, executionId: string, inside: Context): Context {
  // Also when nothing is recorded: by its trace id an execution is found in whatever its workers wrote.
  return { ...traced(inside), executionId, jobId: '', attempt: 0, purpose: inside.purpose || type, taint: [...new Set([...inside.taint, `request:${source}`])] };
}

async function settleNames(ports: AcceptPorts, candidates: readonly Candidate[], drafts: readonly Draft[]): Promise<readonly Acceptance[]> {
  // The first of a name in the batch stands for it; those that follow are judged against what it led to.
  const firstOf = new Map<string, DecidedRequest>();
  const turnedAway = new Set<string>();
  let { places } = ports.admission;
  candidates.forEach(({ incoming, keepsRefusal }, index) => {
    const draft = drafts[index]!;
    const name = nameText(incoming);
    if (draft.kind !== 'decided' || firstOf.has(name) || !(keepsRefusal || draft.request.verdict.status === 'accepted')) return;
    if (!keepsRefusal && places-- <= 0) turnedAway.add(name);
    else firstOf.set(name, draft.request);
  });
  const stored = await storeAll(ports, [...firstOf.values()]);
  ports.admission.accepted([...firstOf.values()].filter(({ executionId, verdict }) => verdict.status === 'accepted' && stored.won.has(executionId)).length);
  const taken = new Map<string, StoredRequest>();
  const names = candidates.flatMap(({ incoming }, index) => {
    const draft = drafts[index]!;
    return draft.kind === 'decided' && !stored.won.has(draft.request.executionId) && !stored.faults.has(nameText(incoming)) ? [incoming] : [];
  });
  // What is stored is handed on whatever becomes of the question for the others.
  const handedOn = handOn(
    ports,
    [...firstOf.values()].filter(({ executionId }) => stored.won.has(executionId)),
  );
  if (names.length > 0) for (const request of await ports.store.find(names)) taken.set(nameText(request), request);
  await handedOn;
  return candidates.map(({ incoming }, index) => {
    const draft = drafts[index]!;
    if (draft.kind === 'fault') return draft;
    if (stored.won.has(draft.request.executionId)) return acceptanceOf(draft.request, false);
    const earlier = taken.get(nameText(incoming));
    if (earlier === undefined) {
      if (draft.request.verdict.status === 'refused') return { kind: 'refused', refusal: draft.request.verdict.refusal, isDuplicate: false };
      // Only now: what was accepted before is answered however full it is.
      if (turnedAway.has(nameText(incoming))) return { kind: 'refused', refusal: ports.admission.refusal(), isDuplicate: false };
      return { kind: 'fault', fault: stored.faults.get(nameText(incoming)) ?? new Fault(`request ${incoming.id} was neither stored nor found`, true) };
    }
    // A commit whose answer was lost: the row that stands is our own.
    if (earlier.executionId === draft.request.executionId) return acceptanceOf(earlier, false);
    return isSameRequest(earlier, incoming) ? acceptanceOf(earlier, true) : conflictWith(earlier);
  });
}

function acceptanceOf(request: DecidedRequest | StoredRequest, isDuplicate: boolean): Acceptance {
  const { verdict } = request;
  return verdict.status === 'accepted' ? { kind: 'accepted', request, selection: verdict.selection, isDuplicate } : { kind: 'refused', refusal: verdict.refusal, isDuplicate };
}

function conflictWith({ id, source }: StoredRequest): Acceptance {
  const message = `Expected the same type and data as before under id ${JSON.stringify(id)} of source ${JSON.stringify(source)}, or a new id, but they differ: the id names one request for ever.`;
  return { kind: 'refused', refusal: rejection('conflict', message), isDuplicate: false };
}

interface Stored {
  readonly won: ReadonlySet<string>;
  /** By name: what the store refuses. */
  readonly faults: ReadonlyMap<string, unknown>;
}

async function storeAll(ports: AcceptPorts, requests: readonly DecidedRequest[]): Promise<Stored> {
  if (requests.length === 0) return { won: new Set(), faults: new Map() };
  try {
    return { won: await storeKnown(ports, requests), faults: new Map() };
  } catch (fault) {
    if (fault instanceof Fault && fault.retryable) throw fault;
    if (requests.length === 1) return { won: new Set(), faults: new Map([[nameText(requests[0]!), fault]]) };
    // The store refuses something in the batch: each request alone, so that only the culprit fails.
    const [won, faults] = [new Set<string>(), new Map<string, unknown>()];
    for (const request of requests) {
      const alone = await storeAll(ports, [request]);
      for (const executionId of alone.won) won.add(executionId);
      for (const [name, refused] of alone.faults) faults.set(name, refused);
    }
    return { won, faults };
  }
}

/** Stores; when the outcome of the commit is lost, again with the same execution ids, which is the same act. */
async function storeKnown(ports: AcceptPorts, requests: readonly DecidedRequest[]): Promise<ReadonlySet<string>> {
  for (let attempt = 1; ; attempt++) {
    try {
      failpoint('routing.store-requests', 'before');
      const won = await ports.store.store(requests, requests[0]!.acceptedAt);
      failpoint('routing.store-requests', 'after');
      return won;
    } catch (fault) {
      if (!(fault instanceof CommitUnknown) || attempt === STORE_ATTEMPTS_MAX) throw fault;
    }
  }
}

export type HandOnPorts = Pick<AcceptPorts, 'bus' | 'onFault'> & { readonly store: Pick<RequestStore, 'settle'> };

/** Publishes what stored requests announce and takes note of refusals that are out. What fails here is redelivered. */
async function handOn(ports: HandOnPorts, requests: readonly (DecidedRequest | StoredRequest)[]): Promise<void> {
  await withinPatience(publishAll(ports, requests));
}

/** Resolves, and never rejects, once the bus has taken or refused everything: with the bus away that may be long. */
export async function publishAll(ports: HandOnPorts, requests: readonly (DecidedRequest | StoredRequest)[]): Promise<void> {
  if (requests.length === 0) return;
  const messages: Outgoing[] = requests.map(announcementOf);
  const refused = requests.filter(({ verdict }) => verdict.status === 'refused').map(({ executionId }) => executionId);
  failpoint('routing.publish-starts', 'before');
  await ports.bus
    .publish(messages)
    .then(() => {
      failpoint('routing.publish-starts', 'after');
      return ports.store.settle(refused);
    })
    .catch((fault: unknown) => ports.onFault(fault, 'handing on requests'));
}

/** Resolves with the handing on, or when it takes too long to be waited for. */
export async function withinPatience(handing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, HAND_ON_PATIENCE_MS)));
  await Promise.race([handing, patience]);
  clearTimeout(timer);
}
