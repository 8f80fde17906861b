// What a person approves: one action, exactly as it was shown.
import type { Approval } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { canonicalJson } from '@weft/workflow';
import { targetName, type PermissionRequest, type Target } from './permission-request.js';

/** What the digest covers, and what a person is shown: {tool, pin, arguments, context}. */
export function actionSubject({ by, on, arguments: args, circumstances }: PermissionRequest, reasons: readonly string[]): Json {
  return {
    tool: targetName(on),
    pin: identityOf(on),
    arguments: args,
    context: { workflow: by.workflow, agent: by.agent, pointer: circumstances.pointer, taint: [...circumstances.taint].sort(), reasons },
  };
}

/** What it is exactly, besides its name. */
function identityOf(on: Target): string {
  if (on.action === 'call') return on.pin;
  if (on.action === 'infer') return on.model;
  if (on.action === 'secret') return on.name;
  return 'program' in on ? on.program : `${on.method} ${on.url}`;
}

/**
 * The text whose SHA-256 in hex is the digest of an action: canonical JSON, so that the same action has the same digest everywhere.
 * Source: RFC 8785.
 */
export const actionText = (subject: Json): string => canonicalJson(subject);

/** Why an approval does not count for an action; undefined when it does, as far as can be told without asking whether it was used. */
export function approvalProblem(approval: Approval, digest: string, now: number): string | undefined {
  if (approval.digest !== digest) return `approval ${approval.reviewId} is for another action`;
  if (approval.expiresAtMs > 0 && approval.expiresAtMs <= now) return `approval ${approval.reviewId} has expired`;
  if (approval.decidedBy.length === 0 || approval.reviewId === '') return 'an approval names nobody who decided';
  return undefined;
}
