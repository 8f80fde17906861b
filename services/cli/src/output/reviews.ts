// A review as lines for a person.
import type { ReviewDetailShape, ReviewEntryShape, ReviewShape } from '../client/shapes.js';
import { colors } from './print.js';

export function reviewText(review: ReviewShape): string {
  const { reviewId, executionId, kind, title, status, openedAt, dueAt, expiresAt, closedAt, assignees, approvalsNeeded, approvedBy, claim, digest, decidedBy, comment, subject, form } = review;
  const since = status === 'open' ? `open since ${openedAt ?? ''}` : `${status}${decidedBy === '' ? '' : ` by ${decidedBy}`} ${closedAt ?? ''}`;
  const lines: readonly (readonly [string, string | null | undefined])[] = [
    ['review', reviewId],
    ['execution', executionId],
    ['for', assignees.join(', ')],
    ['approved', approvalsNeeded > 1 ? `${approvedBy.length} of ${approvalsNeeded}${approvedBy.length === 0 ? '' : `: ${approvedBy.join(', ')}`}` : ''],
    ['in hand', claim && `${claim.by} until ${claim.until ?? ''}`],
    ['due', status === 'open' ? dueAt : null],
    ['expires', status === 'open' ? expiresAt : null],
    ['digest', digest],
    ['comment', comment],
  ];
  return [
    `${colors.bold(title)} ${colors.dim(`${kind}, ${since.trim()}`)}`,
    ...lines.flatMap(([name, value]) => (value ? [`${name.padEnd(9)} ${value}`] : [])),
    ...(form === undefined ? [] : [`form      ${colors.dim(JSON.stringify(form))}`]),
    ...(subject === undefined ? [] : [colors.dim(JSON.stringify(subject, null, 2))]),
  ].join('\n');
}

/** What has become of a review that somebody acted on. */
export function actedText({ reviewId, executionId, status, decidedBy, claim, approvedBy, approvalsNeeded }: ReviewShape): string {
  if (status !== 'open') return `${colors.bold(status)} by ${decidedBy} ${colors.dim(`./weft show ${executionId}`)}`;
  const hand = claim ? `in hand of ${claim.by} until ${claim.until ?? ''}` : "in nobody's hand";
  const approved = approvalsNeeded > 1 ? `, approved by ${approvedBy.length} of ${approvalsNeeded}` : '';
  return `${colors.bold('open')}, ${hand}${approved} ${colors.dim(`./weft review show ${reviewId}`)}`;
}

export const reviewDetailText = (review: ReviewDetailShape): string => [reviewText(review), '', ...review.history.map(entryText)].join('\n');

function entryText({ at, what, by, to, until, text, form }: ReviewEntryShape): string {
  const parts = [what, by && `by ${by}`, to && `to ${to.join(', ')}`, until && `until ${until}`, text && JSON.stringify(text), form === undefined ? undefined : colors.dim(JSON.stringify(form))];
  return `${colors.dim(at ?? '')} ${parts.filter(Boolean).join(' ')}`;
}
