// Schedules as callers see them.
import type { Schedule } from '@weft/contracts';
import { refuse, type Json } from '@weft/kernel';
import type { StoredSchedule } from '../persist/schedule-store.js';

export const scheduleOf = ({ namespace, name, version, digest, kind, given, paused, due, started, executionId, changedBy, changed, reason }: StoredSchedule): Schedule => ({
  definition: { namespace, name, version, digest },
  kind,
  givenJson: given,
  isPaused: paused,
  dueAtMs: due ?? 0,
  startedAtMs: started ?? 0,
  executionId: executionId ?? '',
  changedBy,
  changedAtMs: changed ?? 0,
  reason,
});

export const unknownSchedule = (namespace: string, name: string): never =>
  refuse('unknown-workflow', `Expected a workflow with a schedule, as namespace and name, but the version of ${JSON.stringify(`${namespace}/${name}`.slice(0, 200))} that was deployed last has none.`);

/** The input of a trigger; undefined when none is given. @throws Refused `request-invalid`. */
export function inputOfTrigger(text: string): Json | undefined {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return refuse('request-invalid', 'Expected the input of a trigger as JSON but it is not JSON.');
  }
}
