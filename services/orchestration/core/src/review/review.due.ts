// What falls due about a review by itself: reminders, the time by which it should be decided, escalations, its expiry.
import type { Instant } from '@weft/kernel';
import type { OpenReview, ReviewChange } from './review.state.js';
import { REMINDERS_MAX } from './review.terms.js';

interface Due {
  readonly at: Instant;
  readonly what: ReviewChange | 'expired';
}

/** When something falls due next; undefined when nothing does. */
export const nextDue = (review: OpenReview): Instant | undefined => dueNext(review)?.at;

/**
 * What falls due next. Of what is due at the same instant the expiry comes last: all that was to be told before it is told.
 * @param now reminders that would all be sent only now are one.
 */
export function dueNext(review: OpenReview, now?: Instant): Due | undefined {
  const { terms = {}, openedAt, reminders = 0, escalations = 0, isOverdue } = review;
  const escalation = terms.escalations?.[escalations];
  const due: Due[] = [];
  if (terms.due !== undefined && !isOverdue) due.push({ at: terms.due, what: { change: 'overdue' } });
  if (terms.remindMs !== undefined && reminders < REMINDERS_MAX) due.push(reminder(openedAt, terms.remindMs, reminders, now));
  if (escalation) due.push({ at: escalation.at, what: { change: 'escalated', to: escalation.to } });
  if (terms.expires !== undefined) due.push({ at: terms.expires, what: 'expired' });
  return due.reduce<Due | undefined>((first, each) => (first && first.at <= each.at ? first : each), undefined);
}

function reminder(openedAt: Instant, remindMs: number, sent: number, now: Instant | undefined): Due {
  const at = openedAt + remindMs * (sent + 1);
  const missed = now === undefined ? 0 : Math.min(Math.floor((now - at) / remindMs), REMINDERS_MAX - sent - 1);
  return { at, what: { change: 'reminded', ...(missed > 0 ? { missed } : {}) } };
}

/** Whether it is too late to decide. */
export const hasExpired = ({ terms }: OpenReview, now: Instant): boolean => terms?.expires !== undefined && now >= terms.expires;
