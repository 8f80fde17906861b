// What the world is told of reviews: that somebody is asked, has it in hand, is late, has decided. Subjects and comments stay inside.
import type { Json, JsonObject } from '@weft/kernel';
import type { Announcement, ExecutionFacts } from '../execution/announcements.js';
import type { ExecutionEvent } from '../execution/execution.events.js';
import type { OpenReview } from './review.state.js';
import { EXPIRED } from './review.terms.js';

type ReviewEvent = Extract<ExecutionEvent, { type: 'ReviewRequested' | 'ReviewChanged' | 'ReviewDecided' }>;

const REVIEW = 'ai.weft.review';

export const isAboutReview = (event: ExecutionEvent): event is ReviewEvent => event.type === 'ReviewRequested' || event.type === 'ReviewChanged' || event.type === 'ReviewDecided';

/** Type and data of the event that tells of it. An instant is one in UTC, as text. */
export function reviewAnnouncement(event: ReviewEvent): { readonly type: string; readonly data: Json } {
  const { review } = event;
  switch (event.type) {
    case 'ReviewRequested':
      return { type: `${REVIEW}.requested.v1`, data: requested({ ...event, id: review }) };
    case 'ReviewDecided': {
      const { outcome, decidedBy: by, approvedBy } = event;
      return outcome === EXPIRED
        ? { type: `${REVIEW}.expired.v1`, data: { review } }
        : { type: `${REVIEW}.decided.v1`, data: { review, outcome, by, ...given({ approvedBy: approvedBy && [...approvedBy] }) } };
    }
    case 'ReviewChanged': {
      const { change } = event;
      const fields = { by: 'by' in event ? event.by : undefined, to: 'to' in event ? [...event.to] : undefined, until: 'until' in event ? timeOf(event.until) : undefined };
      // Overdue is a reminder too, one that says so.
      const overdue = change === 'overdue' ? { overdue: true } : {};
      return { type: `${REVIEW}.${change === 'overdue' ? 'reminded' : change}.v1`, data: { review, ...given(fields), ...overdue } };
    }
  }
}

/**
 * Reviews that a row closed without a decision, as what asked for them goes on or has ended; and reviews that it opened without
 * asking anew: those of an execution that is retried, or that another one carries from where it was forked.
 * @param events of the row that are the execution's own.
 */
export function changesOfQueue(facts: ExecutionFacts, sequence: number, events: readonly ExecutionEvent[], before: Readonly<Record<string, OpenReview>>): readonly Announcement[] {
  const { reviews = {} } = facts;
  const told = new Set(events.flatMap((event) => (event.type === 'ReviewDecided' || event.type === 'ReviewRequested' ? [event.review] : [])));
  const idOf = (what: string, review: string): string => `${facts.executionId}/${sequence}/${what}/${review}`;
  const withdrawn = Object.keys(before).filter((review) => !(review in reviews) && !told.has(review));
  const opened = Object.values(reviews).filter(({ id }) => !(id in before) && !told.has(id));
  return [
    ...withdrawn.map((review): Announcement => ({ to: 'lifecycle', id: idOf('withdrawn', review), type: `${REVIEW}.withdrawn.v1`, data: { review } })),
    ...opened.map((review): Announcement => ({ to: 'lifecycle', id: idOf('requested', review.id), type: `${REVIEW}.requested.v1`, data: requested(review) })),
  ];
}

function requested({ id, kind, title, terms = {} }: Pick<OpenReview, 'id' | 'kind' | 'title' | 'terms'>): JsonObject {
  const { digest, assignees, approvals, due, expires } = terms;
  return { review: id, kind, title, ...given({ digest, assignees: assignees && [...assignees], approvals, due: timeOf(due), expires: timeOf(expires) }) };
}

const timeOf = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());

function given(fields: { readonly [name: string]: Json | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter((field): field is [string, Json] => field[1] !== undefined));
}
