// What the shell has to do after a decision, derived from the states before and after it: recovery derives the same.
import type { Instant } from '@weft/kernel';
import { nextDue } from '../review/review.due.js';
import type { OpenReview } from '../review/review.state.js';
import { isEnded, isTimeLimit, type ExecutionState, type OutstandingJob, type OutstandingTimer } from './execution.state.js';

/** Job kinds that ask models, and so may take long: buffered by the bus, and waited for in a row instead of in memory. */
export const LONG_KINDS: ReadonlySet<string> = new Set(['infer', 'embed']);

/** When a long job is published again if nothing was heard of it. */
export const LONG_JOB_REDELIVERY_MS = 30_000;

/** When children are told to begin once more: those that have ended say so again. */
export const CHILDREN_ASKED_AGAIN_MS = 30_000;

export const isLong = (job: Pick<OutstandingJob, 'kind'>): boolean => LONG_KINDS.has(job.kind);

/** Something an execution waits for that outlives memory. */
export interface Wait {
  readonly id: string;
  /** `child`: executions that a task started. */
  readonly kind: 'timer' | 'review' | 'job' | 'signal' | 'child';
  /** Undefined: nothing falls due by itself (a signal, a review that may take for ever). */
  readonly due: Instant | undefined;
  readonly subject: string;
  /** Of a signal: by what it is found. See `listenKey`. */
  readonly correlation?: string;
}

export interface Effects {
  readonly dispatch: readonly OutstandingJob[];
  readonly park: readonly Wait[];
  /** Ids of waits that are over. */
  readonly unpark: readonly string[];
  /** Reviews that were opened, or that are not as they were. */
  readonly openReviews: readonly OpenReview[];
  /** Reviews that are no longer open, decided or withdrawn. */
  readonly closeReviews: readonly string[];
}

export function effectsBetween(before: ExecutionState, after: ExecutionState): Effects {
  const dispatch = before.jobs === after.jobs ? NOTHING : Object.values(after.jobs).filter((job) => !job.asked && before.jobs[job.id] !== job);
  // What only does quick jobs waits for nothing in a row: most decisions are of this kind.
  if (isWaitingForJobsAlone(before) && isWaitingForJobsAlone(after)) return { dispatch, park: NOTHING, unpark: NOTHING, openReviews: NOTHING, closeReviews: NOTHING };
  const [waitsBefore, waitsAfter] = [waitsOf(before), waitsOf(after)];
  return {
    dispatch,
    park: [...waitsAfter.values()].filter((wait) => !isSame(waitsBefore.get(wait.id), wait)),
    unpark: [...waitsBefore.keys()].filter((id) => !waitsAfter.has(id)),
    openReviews: Object.values(after.reviews).filter((review) => before.reviews[review.id] !== review),
    closeReviews: Object.keys(before.reviews).filter((id) => !after.reviews[id]),
  };
}

/** By what events find an execution before it listens: it is found until it has ended, and again when it is retried. */
export function subscriptionsBetween(before: ExecutionState, after: ExecutionState): { readonly subscribe: readonly string[]; readonly unsubscribe: readonly string[] } {
  const [was, is] = [subscribed(before), subscribed(after)];
  return was === is ? NO_CHANGE : { subscribe: is.filter((key) => !was.includes(key)), unsubscribe: was.filter((key) => !is.includes(key)) };
}

const subscribed = (state: ExecutionState): readonly string[] => (isEnded(state) ? NOTHING : (state.subscriptions ?? NOTHING));

const NOTHING: readonly never[] = [];
const NO_CHANGE = { subscribe: NOTHING, unsubscribe: NOTHING };

function isWaitingForJobsAlone({ timers, reviews, listens, jobs, children }: ExecutionState): boolean {
  return isEmpty(timers) && isEmpty(reviews) && isEmpty(listens) && (children === undefined || isEmpty(children)) && !Object.values(jobs).some((job) => isLong(job) && !job.asked);
}

function isEmpty(record: Readonly<Record<string, unknown>>): boolean {
  for (const _key in record) return false;
  return true;
}

/** Jobs to dispatch again when an execution makes no progress. */
export const outstandingJobs = (state: ExecutionState): readonly OutstandingJob[] => Object.values(state.jobs).filter((job) => !job.asked);

/** Everything an execution waits for in a row, by wait id. */
export function waitsOf(state: ExecutionState): ReadonlyMap<string, Wait> {
  const waits = new Map<string, Wait>();
  // A timer that falls due while the execution is suspended fires at resume.
  if (state.status !== 'suspended') for (const timer of timersToWatch(state)) waits.set(timer.id, { id: timer.id, kind: 'timer', due: timer.due, subject: timer.purpose });
  for (const review of Object.values(state.reviews)) waits.set(review.id, { id: review.id, kind: 'review', due: state.status === 'suspended' ? undefined : nextDue(review), subject: review.kind });
  for (const { id, eventType, correlation } of Object.values(state.listens)) waits.set(id, { id, kind: 'signal', due: undefined, subject: subjectOf(eventType), correlation });
  for (const wait of childWaits(state)) waits.set(wait.id, wait);
  const jobs = Object.values(state.jobs);
  // Beside something that has a row a quick job needs one too: the sweep passes by what is parked, and nobody else would miss it.
  const isParked = waits.size > 0 || jobs.some((job) => isLong(job) && !job.asked);
  for (const job of jobs) {
    if ((isParked || isLong(job)) && !job.asked) waits.set(job.id, { id: job.id, kind: 'job', due: job.scheduledAt + LONG_JOB_REDELIVERY_MS, subject: job.kind });
  }
  return waits;
}

/** One for each activation that waits for children, however many. */
function childWaits({ children = {}, activations }: ExecutionState): readonly Wait[] {
  return [...new Set(Object.values(children).map(({ key }) => key))].flatMap((key): readonly Wait[] => {
    const of = activations[key];
    const open = Object.values(children).find((child) => child.key === key);
    const { namespace, name } = of?.map?.workflow ?? open?.called?.workflow ?? { namespace: '', name: '' };
    return of ? [{ id: `${key}@children`, kind: 'child', due: of.enteredAt + CHILDREN_ASKED_AGAIN_MS, subject: subjectOf(`${namespace}/${name}`) }] : [];
  });
}

/** Of the timers that limit time only the first to fall due has a row: the next follows when it is over. */
function timersToWatch({ timers }: ExecutionState): readonly OutstandingTimer[] {
  const all = Object.values(timers);
  const [first, ...later] = all.filter(({ purpose }) => isTimeLimit(purpose));
  if (!first || later.length === 0) return all;
  const earliest = later.reduce((least, timer) => (timer.due < least.due ? timer : least), first);
  return all.filter((timer) => !isTimeLimit(timer.purpose) || timer === earliest);
}

// The type may have come out of an expression: what a column cannot hold is left out of what is shown.
const subjectOf = (eventType: string): string => eventType.replaceAll('\u0000', '').slice(0, SUBJECT_CHARACTERS_MAX).toWellFormed() || 'any event';
const SUBJECT_CHARACTERS_MAX = 200;

const isSame = (left: Wait | undefined, right: Wait): boolean => left !== undefined && left.due === right.due && left.kind === right.kind;
