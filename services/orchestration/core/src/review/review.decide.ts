// What people may do with an open review: claim it, hand it over, speak about it, decide it. Pure rules over the review alone.
import { rejection, type Instant, type Json, type Rejection } from '@weft/kernel';
import { schemaProblem } from '@weft/workflow';
import { assigneesOf, type OpenReview, type ReviewChange } from './review.state.js';
import { assigneeOf, CHANGES_MAX, CLAIM_MS, REVIEW_OUTCOMES } from './review.terms.js';

/** Who acts, with the roles that the door knows of. `requestedBy`: who started the execution that asks. */
export interface Reviewer {
  readonly by: string;
  readonly roles: readonly string[];
  readonly requestedBy: string;
}

/** What a person wants to do that leaves the review open. */
export interface ReviewWish {
  readonly change: 'claim' | 'release' | 'delegate' | 'comment';
  /** Of a claim, in milliseconds; 0 = the default. */
  readonly leaseMs: number;
  /** Of a hand-over: a person or a role. */
  readonly to: string;
  readonly text: string;
}

export type ReviewReading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly rejection: Rejection };

const TEXT_CHARACTERS_MAX = 10_000;

/**
 * The change that a wish makes; undefined: it is so already.
 * Rejections: `review-claimed`, `review-not-yours`, `request-invalid`, `too-many-changes`.
 */
export function changeOf(review: OpenReview, wish: ReviewWish, who: Reviewer, now: Instant): ReviewReading<ReviewChange | undefined> {
  const { by } = who;
  if ((review.changes ?? 0) >= CHANGES_MAX)
    return reviewRefusal('too-many-changes', `Expected a review with fewer than ${CHANGES_MAX} claims, hand-overs and comments but it has that many: decide it.`);
  if (wish.text.length > TEXT_CHARACTERS_MAX) return reviewRefusal('request-invalid', `Expected a text of at most ${TEXT_CHARACTERS_MAX} characters but it has ${wish.text.length}.`);
  if (wish.change === 'comment') return wish.text === '' ? reviewRefusal('request-invalid', 'Expected a comment but it is empty.') : { ok: true, value: { change: 'commented', by, text: wish.text } };
  const problem = claimedByOther(review, by, now) ?? notAssigned(review, who);
  if (problem) return { ok: false, rejection: problem };
  if (wish.change === 'release') return { ok: true, value: isClaimed(review, now) ? { change: 'released', by } : undefined };
  const { leaseMs } = wish;
  if (leaseMs !== 0 && !(leaseMs >= CLAIM_MS.min && leaseMs <= CLAIM_MS.max))
    return reviewRefusal('request-invalid', `Expected a claim of ${CLAIM_MS.min / 1000} to ${CLAIM_MS.max / 1000} seconds but got ${leaseMs / 1000}.`);
  const until = now + (leaseMs || CLAIM_MS.default);
  if (wish.change === 'claim') {
    const idle = notIndependent(review, who) ?? hasApproved(review, by);
    return idle ? { ok: false, rejection: idle } : { ok: true, value: { change: 'claimed', by, until } };
  }
  const to = assigneeOf(wish.to);
  if (to === undefined) return reviewRefusal('request-invalid', `Expected whom to hand it to, as user:NAME, key:ID or role:NAME, but got ${JSON.stringify(wish.to.slice(0, 120))}.`);
  // Whoever has it in hand keeps the others out: that must be somebody who can decide it.
  const idle = notIndependent(review, { ...who, by: to }) ?? hasApproved(review, to);
  if (idle) return reviewRefusal('request-invalid', `Expected somebody to hand it to who can decide it. ${idle.message}`);
  return { ok: true, value: { change: 'delegated', by, to: [to], until, ...(wish.text === '' ? {} : { text: wish.text }) } };
}

/** How a decision counts: it ends the review, is one of several approvals, or was given before. */
export type Counting = 'final' | 'one-of-several' | 'given-before';

/**
 * Whether somebody may decide a review so, and how it counts.
 * Rejections: `request-invalid` (an outcome or a form that does not fit), `review-claimed`, `review-not-yours`.
 */
export function countOf(review: OpenReview, answer: { readonly outcome: string; readonly comment: string; readonly form: Json }, who: Reviewer, now: Instant): ReviewReading<Counting> {
  const outcomes = REVIEW_OUTCOMES[review.kind];
  if (!outcomes.includes(answer.outcome))
    return reviewRefusal('request-invalid', `Expected outcome ${outcomes.join(' or ')} for this ${review.kind} review but got ${JSON.stringify(answer.outcome)}.`);
  if (answer.comment.length > TEXT_CHARACTERS_MAX) return reviewRefusal('request-invalid', `Expected a comment of at most ${TEXT_CHARACTERS_MAX} characters but it has ${answer.comment.length}.`);
  const problem = notAssigned(review, who) ?? claimedByOther(review, who.by, now) ?? notIndependent(review, who);
  if (problem) return { ok: false, rejection: problem };
  if (answer.outcome !== 'approved') return { ok: true, value: 'final' };
  const { approvedBy = [], terms, form } = review;
  if (approvedBy.includes(who.by)) return { ok: true, value: 'given-before' };
  const fault = form === undefined ? undefined : schemaProblem(form, answer.form);
  if (fault !== undefined) return reviewRefusal('request-invalid', `The form of this review is not filled in as it asks: ${fault}`);
  return { ok: true, value: approvedBy.length + 1 < (terms?.approvals ?? 1) ? 'one-of-several' : 'final' };
}

export const isClaimed = ({ claim }: OpenReview, now: Instant): boolean => claim !== undefined && claim.until > now;

function claimedByOther(review: OpenReview, by: string, now: Instant): Rejection | undefined {
  const { claim } = review;
  if (!claim || !isClaimed(review, now) || claim.by === by) return undefined;
  const until = new Date(claim.until).toISOString();
  return rejection('review-claimed', `Expected a review that nobody else has in hand but ${claim.by} has claimed it until ${until}.`, { details: { claimedBy: claim.by, claimedUntil: until } });
}

function notAssigned(review: OpenReview, { by, roles }: Reviewer): Rejection | undefined {
  const assignees = assigneesOf(review);
  if (assignees.length === 0 || assignees.includes(by) || roles.some((role) => assignees.includes(`role:${role}`))) return undefined;
  return rejection('review-not-yours', `Expected one of ${assignees.join(', ')} but this is ${by}${roles.length === 0 ? '' : ` with ${roles.map((role) => `role:${role}`).join(', ')}`}.`, {
    details: { assignees: [...assignees] },
  });
}

/** Where several must approve, whoever asked is none of them. */
function notIndependent({ terms }: OpenReview, { by, requestedBy }: Reviewer): Rejection | undefined {
  if ((terms?.approvals ?? 1) < 2 || by !== requestedBy) return undefined;
  return rejection('review-not-yours', `Expected ${terms?.approvals} people other than ${requestedBy}, who started the execution, but this is ${by}.`);
}

/** Where several must approve, whoever did so has no second word. */
function hasApproved({ approvedBy = [] }: OpenReview, by: string): Rejection | undefined {
  return approvedBy.includes(by) ? rejection('review-not-yours', `Expected somebody who has not approved it yet but ${by} has.`) : undefined;
}

const reviewRefusal = (code: string, message: string): { readonly ok: false; readonly rejection: Rejection } => ({ ok: false, rejection: rejection(code, message) });
