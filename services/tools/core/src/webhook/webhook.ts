// Webhooks: which events a receiver is told of, how a message is signed, and when it is tried again.
import type { Json } from '@weft/kernel';

/** A receiver of one tenant's lifecycle events. */
export interface Webhook {
  /** Names it in rows and logs; unique within its tenant. */
  readonly name: string;
  readonly tenant: string;
  readonly url: string;
  /** Name of the secret that messages are signed with. */
  readonly secret: string;
  /** Types of events; `*` stands for any text. */
  readonly events: readonly string[];
  /** Only events that are about one of these: who is asked, handed to or escalated to. Empty = all. */
  readonly assignees: readonly string[];
}

/** A lifecycle event, as far as a webhook chooses by it. */
export interface ToldEvent {
  readonly tenant: string;
  readonly type: string;
  readonly data: Json | undefined;
}

/** Whether a receiver is told of an event. */
export function isToldOf(webhook: Webhook, { tenant, type, data }: ToldEvent): boolean {
  if (webhook.tenant !== tenant || !webhook.events.some((pattern) => fits(pattern, type))) return false;
  return webhook.assignees.length === 0 || namesIn(data).some((name) => typeof name === 'string' && webhook.assignees.includes(name));
}

function fits(pattern: string, type: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === type;
  const last = rest.pop()!;
  if (!type.startsWith(first) || type.length < first.length + last.length || !type.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = type.indexOf(part, from);
    if (at === -1 || at + part.length > type.length - last.length) return false;
    from = at + part.length;
  }
  return true;
}

function namesIn(data: Json | undefined): readonly Json[] {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return [];
  const { assignees, to } = data as { readonly [field: string]: Json };
  return [assignees, to].flatMap((names): readonly Json[] => (Array.isArray(names) ? (names as readonly Json[]) : []));
}

/** What is signed. Source: Standard Webhooks, "signature scheme". @param atS seconds since the epoch. */
export const signedText = (id: string, atS: number, body: string): string => `${id}.${atS}.${body}`;

// Milliseconds after the first attempt, the second ...: five seconds to a day, about two days together.
const PAUSES_MS = [5_000, 30_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 86_400_000] as const;

/** Attempts after which a message is set aside. */
export const ATTEMPTS_MAX = PAUSES_MS.length + 1;

/** How long to wait after an attempt that failed, at least as long as the receiver asks; undefined: set it aside. @param attempt counted from 1. */
export function pauseAfter(attempt: number, retryAfterMs = 0): number | undefined {
  const pauseMs = PAUSES_MS[attempt - 1];
  return pauseMs === undefined ? undefined : Math.min(Math.max(pauseMs, retryAfterMs), PAUSES_MS.at(-1)!);
}

/** What an answer says: taken, try again, or never again (410: Gone). */
export const meaningOf = (status: number): 'taken' | 'again' | 'never' => (status >= 200 && status < 300 ? 'taken' : status === 410 ? 'never' : 'again');
