// An open review: what is asked, and what people have made of it so far.
import type { Instant, Json } from '@weft/kernel';
import type { ReviewKind, ReviewTerms } from './review.terms.js';

export interface OpenReview {
  readonly id: string;
  /** Key of the activation that it is about. */
  readonly key: string;
  readonly kind: ReviewKind;
  readonly openedAt: Instant;
  readonly title: string;
  readonly subject: Json;
  readonly terms?: ReviewTerms;
  /** JSON Schema that the form of an approval must fit. */
  readonly form?: Json;
  /** Who has it in hand, and until when. */
  readonly claim?: { readonly by: string; readonly until: Instant };
  /** Who may decide besides the assignees of the terms: by hand-over and escalation. */
  readonly others?: readonly string[];
  /** Who has approved, while more must. */
  readonly approvedBy?: readonly string[];
  readonly reminders?: number;
  readonly isOverdue?: true;
  readonly escalations?: number;
  /** Changes that people have made. */
  readonly changes?: number;
}

/** Something that happened to an open review and leaves it open. `text` is what a person wrote, `form` what a person filled in. */
export type ReviewChange =
  | { readonly change: 'claimed'; readonly by: string; readonly until: Instant }
  | { readonly change: 'released'; readonly by: string }
  | { readonly change: 'delegated'; readonly by: string; readonly to: readonly string[]; readonly until: Instant; readonly text?: string }
  | { readonly change: 'commented'; readonly by: string; readonly text: string }
  /** One of the approvals that it takes. */
  | { readonly change: 'approved'; readonly by: string; readonly text?: string; readonly form?: Json }
  /** `missed`: how many reminders before it nobody sent in time; this one stands for them. */
  | { readonly change: 'reminded'; readonly missed?: number }
  | { readonly change: 'overdue' }
  | { readonly change: 'escalated'; readonly to: readonly string[] };

/** The review after a change. */
export function changeReview(review: OpenReview, change: ReviewChange): OpenReview {
  const { claim: _claim, ...unclaimed } = review;
  const changes = (review.changes ?? 0) + 1;
  switch (change.change) {
    case 'claimed':
      return { ...review, claim: { by: change.by, until: change.until }, changes };
    case 'released':
      return { ...unclaimed, changes };
    case 'delegated': {
      const [to] = change.to;
      const claim = to === undefined || to.startsWith('role:') ? {} : { claim: { by: to, until: change.until } };
      return { ...unclaimed, others: joined(review.others, change.to), ...claim, changes };
    }
    case 'commented':
      return { ...review, changes };
    case 'approved':
      return { ...(review.claim?.by === change.by ? unclaimed : review), approvedBy: [...(review.approvedBy ?? []), change.by] };
    case 'reminded':
      return { ...review, reminders: (review.reminders ?? 0) + 1 + (change.missed ?? 0) };
    case 'overdue':
      return { ...review, isOverdue: true };
    case 'escalated':
      // Whoever sat on it keeps nobody from deciding now.
      return { ...unclaimed, others: joined(review.others, change.to), escalations: (review.escalations ?? 0) + 1 };
  }
}

const joined = (some: readonly string[] = [], more: readonly string[]): readonly string[] => [...new Set([...some, ...more])];

/** Who may decide; empty = anyone of the tenant, whomever it was handed to besides. */
export function assigneesOf({ terms, others = [] }: OpenReview): readonly string[] {
  const { assignees = [] } = terms ?? {};
  return assignees.length === 0 ? [] : joined(assignees, others);
}
