import { rejection, type Failure } from '@weft/kernel';
import { Fault } from '@weft/pipeline';

/** Reported when carrying out met an error that trying again would meet again; its cause is in the log. */
export const INTERNAL_ERROR: Failure = rejection('internal', 'Expected the job to be carried out but tools met an internal error; it is in its log.');

/** Whether an error passes by itself: only then may a job be left to a later dispatch. */
export const isForLater = (error: unknown): boolean => error instanceof Fault && error.retryable;
