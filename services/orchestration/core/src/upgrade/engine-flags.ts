// What the engine does otherwise than it once did, by number: an execution behaves for ever as the engine did when it started.
import { Defect } from '@weft/kernel';

/** One change of what an existing document does. */
export interface EngineFlag {
  /** From 1, without gaps; never used again. */
  readonly number: number;
  readonly name: string;
  /** What an execution with the flag does, and what one without it does. */
  readonly changes: string;
  /** The release whose executions were the first to start with it. */
  readonly since: string;
}

export const URI_TEMPLATES: EngineFlag = {
  number: 1,
  name: 'uri-templates',
  changes: 'The endpoint of `call: http` is a URI template over the input of its task; without the flag its braces are sent as they stand.',
  since: '0.1.0',
};

export const STANDARD_DESCRIPTORS: EngineFlag = {
  number: 2,
  name: 'standard-descriptors',
  changes:
    '`$task.input` is the raw input of the task; without it, what `input.from` made of it. `$task.output`, `$task.startedAt`, `iso8601` beside `epoch` and `$runtime.metadata` are there; without it they are not.',
  since: '0.1.0',
};

export const RAISED_INSTANCE: EngineFlag = {
  number: 3,
  name: 'raised-instance',
  changes: 'A raised error has the `instance` that its author gives it; without it, always the pointer of the task that raises it.',
  since: '0.1.0',
};

/** Source: docs/events.md. */
export const WHOLE_EVENTS: EngineFlag = {
  number: 4,
  name: 'whole-events',
  changes: 'With it an emitted event has an id, a source, a time and a specversion also where its author gave none, and is checked; without it, only what the author gave.',
  since: '0.1.0',
};

/** Source: docs/workflow-profile.md, rule 19. */
export const EARLY_EVENTS: EngineFlag = {
  number: 5,
  name: 'early-events',
  changes: 'With it an execution is found from its start by the events that its document correlates, and what it keeps is bounded by size too; without it, only while a listen waits.',
  since: '0.1.0',
};

/** Source: docs/workflow-profile.md, rule 16. */
export const NULL_IS_A_VALUE: EngineFlag = {
  number: 6,
  name: 'null-is-a-value',
  changes: 'An input, output or export that an expression makes null is null; without it, what the task had before takes its place.',
  since: '0.1.0',
};

export const DROPPED_ATTEMPTS: EngineFlag = {
  number: 7,
  name: 'dropped-attempts',
  changes:
    'A job that was given up with its attempt of a `try` has had its own attempt: the next one has the next number, and a late failure is not taken for its own. Without it, both have the same number.',
  since: '0.1.0',
};

/** Source: docs/time-limits.md. */
export const RETRY_AFTER: EngineFlag = {
  number: 8,
  name: 'retry-after',
  changes: 'A retry waits at least as long as the failed call asks for, where that is longer than its delay; without it, its delay alone.',
  since: '0.1.0',
};

/** All of them, by number. A flag is added at the end and stays as long as executions that began before it may be alive. Source: docs/upgrades.md. */
export const ENGINE_FLAGS: readonly EngineFlag[] = [URI_TEMPLATES, STANDARD_DESCRIPTORS, RAISED_INSTANCE, WHOLE_EVENTS, EARLY_EVENTS, NULL_IS_A_VALUE, DROPPED_ATTEMPTS, RETRY_AFTER];

/** Whether an execution behaves by a flag: it started when the engine did already. */
export const behavesBy = ({ flags }: { readonly flags?: readonly number[] | undefined }, flag: EngineFlag): boolean => flags?.includes(flag.number) === true;

/** What a release makes of flags. */
export interface EngineRelease {
  /** Flags that it can carry out, both with and without. */
  readonly knows: ReadonlySet<number>;
  /** Flags of the executions that it starts, ascending. */
  readonly starts: readonly number[];
}

/** A release that starts executions with every flag that it knows. */
export function releaseWith(flags: readonly EngineFlag[]): EngineRelease {
  const starts = flags.map(({ number }) => number);
  return { knows: new Set(starts), starts };
}

export const THIS_RELEASE: EngineRelease = releaseWith(ENGINE_FLAGS);

/** @throws Defect when an execution has flags that the release does not know: a newer one started it, and goes on with it. */
export function requireKnown(flags: readonly number[], { knows }: EngineRelease): void {
  const unknown = flags.filter((flag) => !knows.has(flag));
  if (unknown.length > 0) throw new Defect(`the execution was started by a newer release, with engine flags ${unknown.join(', ')} that this one does not know`);
}
