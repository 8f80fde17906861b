// What callers are shown: wire messages as plain JSON, with parsed data and RFC 3339 times.
import type { Accepted, Definition, Execution, Member, Operated, Review, ReviewDetail, Selection, Timeline, TimelineEntry } from '@weft/contracts';
import { instantText, type Json } from '@weft/kernel';

const timeOf = (ms: number): string | null => (ms === 0 ? null : instantText(ms));
const parsed = (text: string): Json | undefined => (text === '' ? undefined : (JSON.parse(text) as Json));
const optional = <T>(name: string, value: T | undefined): Record<string, T> => (value === undefined ? {} : { [name]: value });

export function definitionView({ ref, createdAtMs, created, title }: Definition) {
  return { namespace: ref?.namespace ?? '', name: ref?.name ?? '', version: ref?.version ?? '', digest: ref?.digest ?? '', title, createdAt: timeOf(createdAtMs), created };
}

/** A definition that was just deployed, with what was locked of its external resources. */
export const deployedView = (definition: Definition) => ({ ...definitionView(definition), resources: definition.resources });

export function routeView({ tableVersion, rule, definition, reasons, rejected, models }: Selection) {
  return {
    rule,
    tableVersion,
    workflow: definition ?? null,
    reasons,
    // Endpoints and names of secrets are the operator's affair.
    models: models.map(({ id, model, reason, simulated }) => ({ id, model, reason, simulated })),
    rejected,
  };
}

export function executionView(execution: Execution) {
  const { executionId, status, definition, requestId, requestSource, requestType, attributes, startedAtMs, endedAtMs, version, traceId, waits } = execution;
  return {
    executionId,
    status,
    workflow: definition ?? null,
    requestId,
    requestSource,
    requestType,
    startedAt: timeOf(startedAtMs),
    endedAt: timeOf(endedAtMs),
    version,
    traceId,
    attributes: attributes.map(({ name, value }) => ({ name, value })),
    waits: waits.map(({ id, kind, dueAtMs, subject }) => ({ id, kind, dueAt: timeOf(dueAtMs), subject })),
    ...(execution.forkedFrom === '' ? {} : { forkedFrom: execution.forkedFrom }),
    ...(execution.parent === '' ? {} : { parent: execution.parent, root: execution.root }),
    ...(execution.children === 0 ? {} : { children: execution.children }),
    ...optional('input', parsed(execution.inputJson)),
    ...optional('output', parsed(execution.outputJson)),
    ...optional('error', parsed(execution.errorJson)),
  };
}

/** What became of an operation, and what can be done next. */
export function operatedView({ operation, operationId, changed, execution, possible, newExecutionId }: Operated) {
  return {
    operation,
    operationId,
    changed,
    execution: execution ? executionView(execution) : null,
    possible,
    ...(newExecutionId === '' ? {} : { newExecutionId, newLinks: linksOf(newExecutionId) }),
  };
}

/** An execution that was accepted and has not begun. */
export function acceptedView({ executionId, acceptedAtMs, selection }: Accepted) {
  return { executionId, status: 'accepted', acceptedAt: timeOf(acceptedAtMs), workflow: selection?.definition ?? null };
}

export function timelineView({ executionId, status, version, entries }: Timeline) {
  return { executionId, status, version, entries: entries.map(entryView) };
}

export function entryView({ version, atMs, type, task, pointer, part, text, detailJson }: TimelineEntry) {
  return { version, at: timeOf(atMs), type, task, pointer, ...(part === '' ? {} : { part }), text, ...optional('detail', parsed(detailJson)) };
}

export function reviewView(review: Review) {
  const { reviewId, executionId, workflow, requestedBy, kind, title, status, openedAtMs, dueAtMs, expiresAtMs, closedAtMs, assignees, approvalsNeeded, approvedBy, claimedBy, claimedUntilMs } = review;
  return {
    reviewId,
    executionId,
    workflow,
    requestedBy,
    kind,
    title,
    status,
    openedAt: timeOf(openedAtMs),
    dueAt: timeOf(dueAtMs),
    expiresAt: timeOf(expiresAtMs),
    closedAt: timeOf(closedAtMs),
    assignees,
    approvalsNeeded,
    approvedBy,
    claim: claimedBy === '' ? null : { by: claimedBy, until: timeOf(claimedUntilMs) },
    decidedBy: review.decidedBy,
    comment: review.comment,
    ...(review.digest === '' ? {} : { digest: review.digest }),
    ...optional('subject', parsed(review.subjectJson)),
    ...optional('form', parsed(review.formJson)),
  };
}

/** A review with what has happened to it. */
export function reviewDetailView({ review, entries }: ReviewDetail) {
  return {
    ...reviewView(review!),
    history: entries.map(({ atMs, what, by, to, untilMs, text, formJson }) => ({
      at: timeOf(atMs),
      what,
      ...(by === '' ? {} : { by }),
      ...(to.length === 0 ? {} : { to }),
      ...(untilMs === 0 ? {} : { until: timeOf(untilMs) }),
      ...(text === '' ? {} : { text }),
      ...optional('form', parsed(formJson)),
    })),
  };
}

/** A decision as the audit log's digests cover it; bytes as base64. */
export function memberView({ sequence, tenant, recordedAtMs, structure, payload, payloadErased, payloadSalt, payloadDigest, commitId }: Member) {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return { sequence, tenant, recordedAtMs, structure, payload, payloadErased, payloadSalt: base64(payloadSalt), payloadDigest: base64(payloadDigest), commitId };
}

/** Where to look further. */
export function linksOf(executionId: string) {
  const self = `/v1/executions/${executionId}`;
  return { self, timeline: `${self}/timeline`, events: `${self}/events`, route: `${self}/route`, proof: `${self}/proof` };
}
