// Places where a test may let the process die: every boundary at which a crash could lose something or do it twice.
import { rejection, type Rejection } from '@weft/kernel';

/**
 * Every failpoint: the service or adapter that reaches it, and the operation that it stands around. The sweep of
 * `./weft prove failpoints` goes through this list from top to bottom, so that a death leaves what the next place is about; a spec compares it with the
 * places that the sources name.
 */
export const FAILPOINTS = [
  'routing.store-requests',
  'routing.publish-starts',
  'routing.settle-requests',
  'routing.redeliver',
  'gateway.accept',
  'gateway.decide-review',
  'orchestration.decide-commands',
  'orchestration.commit',
  'orchestration.announce',
  'orchestration.republish',
  'orchestration.mark-published',
  'orchestration.dispatch',
  'orchestration.take-results',
  'orchestration.fire-timers',
  'orchestration.redispatch',
  'orchestration.decide-review',
  'tools.record-dispatch',
  'tools.send-effect',
  'tools.record-outcome',
  'tools.reserve',
  'tools.settle',
  'tools.reconcile',
  'memory.remember',
  'validation.store-verdicts',
  'audit.take-over',
  'audit.append',
  'audit.announce-checkpoint',
  'kafka.publish',
  'kafka.commit-offsets',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** On which side of the operation: before it begins, or after it has ended and before anything follows from it. */
export type FailpointSide = 'before' | 'after';

/** Where a process is to die. */
export interface Crash {
  readonly name: Failpoint;
  readonly side: FailpointSide;
  /** It dies when it comes there for the n-th time, from 1. */
  readonly nth: number;
}

let armed: { readonly crash: Crash; readonly die: (crash: Crash) => void; left: number } | undefined;

/** Marks a boundary. Off, it costs one comparison. */
export function failpoint(name: Failpoint, side: FailpointSide): void {
  if (armed !== undefined) reach(name, side);
}

/**
 * Lets the process die at one place, once.
 * @param die ends the process at once, as kill -9 does; it does not return.
 */
export function armFailpoint(crash: Crash, die: (crash: Crash) => void): void {
  armed = { crash, die, left: crash.nth };
}

/** No failpoint does anything any more. */
export function disarmFailpoints(): void {
  armed = undefined;
}

export type CrashReading = { readonly ok: true; readonly crash: Crash } | { readonly ok: false; readonly rejection: Rejection };

const FORM = /^([a-z.-]+):(before|after)(?::([1-9]\d{0,6}))?$/;

/** Reads `NAME:before`, `NAME:after` or either with `:N` for the n-th time. Refused with `config-invalid`. */
export function readCrash(text: string): CrashReading {
  const [, called, side, nth = '1'] = FORM.exec(text) ?? [];
  const name = FAILPOINTS.find((known) => known === called);
  if (name === undefined || side === undefined)
    return {
      ok: false,
      rejection: rejection('config-invalid', `Expected a failpoint as NAME:before or NAME:after, optionally with :N, but got ${JSON.stringify(text)}. Names are: ${FAILPOINTS.join(', ')}.`),
    };
  return { ok: true, crash: { name, side: side as FailpointSide, nth: Number(nth) } };
}

function reach(name: Failpoint, side: FailpointSide): void {
  if (armed === undefined || armed.crash.name !== name || armed.crash.side !== side || --armed.left > 0) return;
  const { crash, die } = armed;
  armed = undefined;
  die(crash);
}
