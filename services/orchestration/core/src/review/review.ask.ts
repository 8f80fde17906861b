// What a `review` task asks, once its arguments are evaluated: checked, because expressions may have given anything.
import { isJsonObject, type Instant, type Json } from '@weft/kernel';
import { parseDuration, schemaFault } from '@weft/workflow';
import { assigneeOf, type Escalation, type ReviewTerms } from './review.terms.js';

export interface AskedReview {
  readonly title: string;
  readonly subject: Json;
  readonly terms?: ReviewTerms;
  readonly form?: Json;
}

/** How many different people may be asked to approve, how many may be named, and how often a review may be escalated. */
export const ASKED_MAX = { approvals: 10, assignees: 50, escalations: 10 } as const;

/** Reads the arguments of a `review` task. @returns what is wrong with them as a sentence, in place of what is asked. */
export function askedReview(given: Json, taskName: string, now: Instant): AskedReview | string {
  const fields = isJsonObject(given) ? given : {};
  const terms: { -readonly [K in keyof ReviewTerms]: ReviewTerms[K] } = {};
  const { assignees, approvals, due, remindAfter, escalate, expires, form } = fields;
  if (isGiven(assignees)) {
    const named = assigneesIn(assignees);
    if (!named) return wrong('assignees', `a list of 1 to ${ASKED_MAX.assignees} texts such as user:eva or role:finance`, assignees);
    terms.assignees = named;
  }
  if (isGiven(approvals)) {
    if (!Number.isInteger(approvals) || (approvals as number) < 1 || (approvals as number) > ASKED_MAX.approvals) return wrong('approvals', `an integer from 1 to ${ASKED_MAX.approvals}`, approvals);
    if (approvals !== 1) terms.approvals = approvals as number;
  }
  for (const [name, value] of Object.entries({ due, remindAfter, expires })) {
    if (!isGiven(value)) continue;
    const ms = durationOf(value);
    if (ms === undefined) return wrong(name, 'a duration of at least a second, such as PT4H', value);
    if (name === 'due') terms.due = now + ms;
    else if (name === 'expires') terms.expires = now + ms;
    else terms.remindMs = ms;
  }
  if (isGiven(escalate)) {
    const steps = Array.isArray(escalate) ? (escalate as readonly Json[]) : [escalate];
    const read = steps.map((step) => escalationOf(step, now));
    if (steps.length > ASKED_MAX.escalations || read.includes(undefined)) return wrong('escalate', `{ after, to } or a list of at most ${ASKED_MAX.escalations} of them`, escalate);
    terms.escalations = (read as Escalation[]).toSorted((left, right) => left.at - right.at);
  }
  if (isGiven(form)) {
    const fault = schemaFault(form);
    if (fault !== undefined) return `Expected \`form\` to be a JSON Schema but ${fault}`;
  }
  return {
    title: typeof fields['title'] === 'string' ? fields['title'] : taskName,
    subject: fields['subject'] ?? null,
    ...(Object.keys(terms).length === 0 ? {} : { terms }),
    ...(isGiven(form) ? { form } : {}),
  };
}

const isGiven = (value: Json | undefined): value is Exclude<Json, null> => value !== undefined && value !== null;

function assigneesIn(value: Json | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > ASKED_MAX.assignees) return undefined;
  const named = (value as readonly Json[]).map(assigneeOf);
  return named.includes(undefined) ? undefined : [...new Set(named as string[])];
}

function escalationOf(step: Json, now: Instant): Escalation | undefined {
  if (!isJsonObject(step)) return undefined;
  const ms = durationOf(step['after']);
  const to = assigneesIn(typeof step['to'] === 'string' ? [step['to']] : step['to']);
  return ms === undefined || !to ? undefined : { at: now + ms, to };
}

const MS_MIN = 1_000;

function durationOf(value: Json | undefined): number | undefined {
  const reading = parseDuration(value ?? null);
  return reading.ok && reading.ms >= MS_MIN ? reading.ms : undefined;
}

const wrong = (name: string, wanted: string, value: Json): string => `Expected \`${name}\` to be ${wanted} but got ${JSON.stringify(value).slice(0, 200)}.`;
