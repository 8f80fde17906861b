// The place of permission in carrying out a job: after it is known what is asked for, before anything is reserved, recorded or sent.
import type { Approval, Budget, Job } from '@weft/contracts';
import type { Failure, Instant, Json, JsonObject } from '@weft/kernel';
import { failureReport, effectOf, type PermissionRequest, type Stoppable, type Target } from '@weft/tools/core';
import type { EffectLedger } from '../persist/effect.ledger.js';
import type { Policy } from '../permission/policy-set.js';
import type { Permissions, Permitted } from '../permission/permissions.js';
import type { DeferredArguments } from '../secret/deferred-arguments.js';
import type { Carried } from './command-stream.js';

export interface PermissionPorts {
  readonly permissions: Permissions;
  readonly ledger: EffectLedger;
  /** Takes a person's word for a key; false: it was used for another one. */
  readonly takeApproval: (tenant: string, approval: Approval, key: string) => Promise<boolean>;
}

type Denied = Extract<Permitted, { kind: 'deny' }>;

/** What a job asks for. @param now time of the store: by it approvals expire, whatever the clock of this process says. */
export function requestOf(job: Job, on: Target, args: Json, now: Instant): PermissionRequest {
  const { tenant = '', actor = '', taint = [], purpose = '', budget } = job.context ?? {};
  return {
    by: { tenant, actor, workflow: job.workflow, agent: job.agent },
    on,
    arguments: args,
    circumstances: { taint, purpose, budget: least(budget, job.attenuation?.budget), now, pointer: job.pointer },
  };
}

/** What a kill switch could stop of a job. @param target the tool, `call:http`, or id of the model. */
export const stoppableOf = (job: Job, target: string): Stoppable => ({ tenant: job.context?.tenant ?? '', workflow: job.workflow, agent: job.agent, target });

/**
 * Goes on with what is permitted, and by what. A write that is refused now may have been sent before: then `then` is called with the refusal, to
 * tell what the ledger knows and to send nothing.
 * @param refusal of something else that it needs; undefined: there is none.
 */
export function whenPermitted(
  ports: PermissionPorts,
  job: Job,
  request: PermissionRequest,
  then: (barred: Failure | undefined, permit: JsonObject) => Carried,
  refusal: () => Denied | undefined = () => undefined,
): Carried {
  const isWrite = effectOf(request.on) !== 'read';
  const step = (approvals: readonly Approval[]): Carried => {
    const permitted = refusal() ?? ports.permissions.permit({ request, attenuation: job.attenuation, approvals });
    switch (permitted.kind) {
      case 'allow':
        return then(undefined, permitOf(permitted.policies));
      case 'approved': {
        const { approval } = permitted;
        return ports
          .takeApproval(request.by.tenant, approval, job.idempotencyKey)
          .then((isOurs) => (isOurs ? then(undefined, permitOf(permitted.policies, approval)) : step(approvals.filter((other) => other !== approval))));
      }
      case 'ask':
      case 'deny': {
        const refused = failureReport(job, permitted.failure, 'none', permitted.kind === 'ask' ? { approvalRequest: permitted.approvalRequest } : {});
        if (!isWrite) return refused;
        // A person's word about what happened is recorded whatever is permitted now: nothing is sent for it.
        if (job.settlement) return then(permitted.failure, {});
        return ports.ledger.look(job.idempotencyKey).then((state) => (state.status === 'none' ? refused : then(permitted.failure, {})));
      }
    }
  };
  return step(job.approvals);
}

/** The refusal of a secret that no policy lets the job use; undefined: it may use them all. A person is not asked for a secret: with a policy that wants it, it is denied. */
export function secretRefusal({ permissions, ledger }: PermissionPorts, job: Job, { secrets, shown }: DeferredArguments): Denied | undefined {
  for (const name of secrets) {
    const permitted = permissions.permit({ request: requestOf(job, { action: 'secret', name }, shown, ledger.now()), attenuation: undefined, approvals: [] });
    if (permitted.kind === 'deny') return permitted;
    if (permitted.kind === 'ask') return { ...permitted, kind: 'deny', needed: [], failure: { ...permitted.failure, code: 'denied' } };
  }
  return undefined;
}

/** What let it happen, for the evidence. */
function permitOf(policies: readonly Policy[], approval?: Approval): JsonObject {
  return { permits: policies.map(({ id }) => id), ...(approval ? { approvedBy: approval.decidedBy, review: approval.reviewId } : {}) };
}

/** The smaller of two budgets, part by part; missing = unlimited. */
function least(one: Budget | undefined, other: Budget | undefined): Budget | undefined {
  if (!one || !other) return one ?? other;
  return { moneyMicros: Math.min(one.moneyMicros, other.moneyMicros), tokens: Math.min(one.tokens, other.tokens), calls: Math.min(one.calls, other.calls) };
}
