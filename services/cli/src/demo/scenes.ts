// What the demo shows, and what must have held for each request.
import { isJsonObject, type Json } from '@weft/kernel';
import type { WholeExecution } from '../client/executions.js';
import type { ExecutionVerdict } from '../client/verify-execution.js';

/** What is known of a request once it has ended. */
export interface Ended extends WholeExecution {
  readonly audit: ExecutionVerdict;
  /** Mails that the provider sent for it. */
  readonly mails: number;
  /** Whether models were simulated: a real one may judge otherwise than the script. */
  readonly isSimulated: boolean;
  /** Whether its process was killed while it sent. */
  readonly isKilled: boolean;
}

export interface Scene {
  readonly title: string;
  /** File in the example's events. */
  readonly event: string;
  /** What happens, for people. */
  readonly story: string;
  /** Whether the process that sends is killed while it sends. */
  readonly isInterrupted?: true;
  /** What did not hold, as sentences. */
  readonly problems: (ended: Ended) => readonly string[];
}

export const SCENES: readonly Scene[] = [
  {
    title: 'A complaint within the limit',
    event: 'plain.json',
    story: 'Classified, drafted with what is remembered of the customer, checked, sent once, remembered.',
    problems: (ended) => [...completed(ended), ...mailed(ended, 1)],
  },
  {
    title: 'The first model is busy',
    event: 'busy-model.json',
    story: 'The preferred model answers 429; the next candidate takes over, and the record says why.',
    problems: (ended) => [...completed(ended), ...mailed(ended, 1), ...(fallbacks(ended) > 0 ? [] : ['Expected a model to be rejected with 429 and another to answer but none was rejected.'])],
  },
  {
    title: 'A refund above the limit',
    event: 'large-refund.json',
    story: 'Nothing is sent before a person approves. The demo plays that person.',
    problems: (ended) => [...completed(ended), ...mailed(ended, 1), ...(isReviewed(ended) || !ended.isSimulated ? [] : ['Expected a person to be asked but nobody was.'])],
  },
  {
    title: 'Killed with -9 in the middle of sending',
    event: 'interrupted.json',
    story: 'The process dies after the mail left and before its answer came. It resumes, asks the provider, and does not send again.',
    isInterrupted: true,
    problems: (ended) => [...completed(ended), ...mailed(ended, 1), ...(ended.isKilled ? [] : ['Expected a moment between the mail and its answer to kill the process in, but there was none.'])],
  },
  {
    title: 'A complaint without its text',
    event: 'no-text.json',
    story: 'Refused by the schema of the workflow, with a sentence that says what is missing.',
    problems: (ended) => [...mailed(ended, 0), ...(ended.execution.status === 'faulted' ? [] : [`Expected it to fault but it is ${ended.execution.status}.`])],
  },
];

/** What did not hold for a request. */
export const problemsOf = (scene: Scene, ended: Ended): readonly string[] => [
  ...scene.problems(ended),
  ...(ended.audit.verified ? [] : [`Expected every decision to be proved but: ${ended.audit.decisions.find(({ verified }) => !verified)?.reason ?? 'there are none'}`]),
];

const completed = ({ execution }: Ended): readonly string[] =>
  execution.status === 'completed' ? [] : [`Expected it to complete but it is ${execution.status}: ${JSON.stringify(execution.error ?? execution.waits ?? null)}`];

const mailed = ({ mails }: Ended, wanted: number): readonly string[] => (mails === wanted ? [] : [`Expected ${wanted === 1 ? 'exactly one mail' : 'no mail'} but ${mails} were sent.`]);

const isReviewed = ({ timeline }: Ended): boolean => timeline.entries.some(({ type }) => type === 'ReviewDecided');

function fallbacks({ timeline }: Ended): number {
  return timeline.entries.filter(({ type, detail }) => type === 'JobCompleted' && rejectedIn(detail).some((option) => JSON.stringify(option).includes('429'))).length;
}

function rejectedIn(detail: Json | undefined): readonly Json[] {
  const evidence = isJsonObject(detail) ? detail['evidence'] : undefined;
  const rejected = isJsonObject(evidence) ? evidence['rejected'] : undefined;
  return Array.isArray(rejected) ? (rejected as readonly Json[]) : [];
}
