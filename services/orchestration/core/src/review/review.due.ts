import type { Instant } from '@weft/kernel';
import type { OpenReview } from '../execution/execution.state.js';

/** When something about a review falls due by itself next; undefined when nothing does. */
export const nextDue = ({ terms }: OpenReview): Instant | undefined => terms?.expires;

/** Whether it is too late to decide. */
export const hasExpired = ({ terms }: OpenReview, now: Instant): boolean => terms?.expires !== undefined && now >= terms.expires;
