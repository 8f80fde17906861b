// The one place that says whether something may be done: switches, what an agent was given, policies, the Rule of Two, people's words.
import type { Approval, ApprovalRequest, Attenuation } from '@weft/contracts';
import { matchesName, rejection, type Failure } from '@weft/kernel';
import { actionSubject, actionText, approvalProblem, effectOf, exposureOf, killed, ownLabels, ruleOfTwo, targetName, workflowName, type PermissionRequest, type Stoppable } from '@weft/tools/core';
import { createHash } from 'node:crypto';
import type { CedarEngine, Verdict } from './cedar-engine.js';
import { askingOf } from './cedar-request.js';
import type { Policy } from './policy-set.js';
import type { SwitchBoard } from './switch-board.js';

/** A request with what came with its job. */
export interface Asked {
  readonly request: PermissionRequest;
  readonly attenuation: Attenuation | undefined;
  /** Words of people; each counts for one action alone. */
  readonly approvals: readonly Approval[];
}

export type Permitted =
  | { readonly kind: 'allow'; readonly policies: readonly Policy[] }
  /** Allowed by a person's word, which has to be taken before anything is done: it counts once. */
  | { readonly kind: 'approved'; readonly policies: readonly Policy[]; readonly approval: Approval }
  /** Code `approval-required`. */
  | { readonly kind: 'ask'; readonly policies: readonly Policy[]; readonly failure: Failure; readonly approvalRequest: ApprovalRequest }
  /** Code `denied`. */
  | { readonly kind: 'deny'; readonly policies: readonly Policy[]; readonly failure: Failure; readonly needed: readonly string[] };

export class Permissions {
  /** @param isTrusted labels that the operator vouches for: they are no untrusted input. */
  constructor(
    private readonly engine: CedarEngine,
    private readonly switches: Pick<SwitchBoard, 'current' | 'isFresh' | 'refresh' | 'onChange'>,
    private readonly isTrusted: (label: string) => boolean,
  ) {}

  /** SHA-256 of all policies, hex. */
  get policyDigest(): string {
    return this.engine.set.digest;
  }

  /** Resolves when what is off was read lately. @throws Fault when the store cannot be asked: nobody knows what is off. */
  async fresh(): Promise<void> {
    if (!this.switches.isFresh) await this.switches.refresh();
  }

  /** Whether what is off was read lately enough to act on. */
  get isFresh(): boolean {
    return this.switches.isFresh;
  }

  /** Calls whenever something was switched. @returns ends it. */
  onSwitch(listener: () => void): () => void {
    return this.switches.onChange(listener);
  }

  /** Decides; synchronous, and without a question to anybody where the same was asked before. */
  permit({ request, attenuation, approvals }: Asked): Permitted {
    const stopped = this.stopped(stoppableOf(request));
    if (stopped) return { kind: 'deny', policies: [], failure: stopped, needed: ['An operator revives it with ./weft revive.'] };
    const beyond = beyondAttenuation(request, attenuation);
    if (beyond) return beyond;
    const verdict = this.engine.decide(request);
    if (verdict.decision === 'deny') return this.#denial(request, verdict);
    const reasons = this.#reasons(request, verdict);
    if (reasons.length === 0) return { kind: 'allow', policies: verdict.policies };
    return asking(request, verdict.policies, reasons, approvals);
  }

  /** Whether a tool may be used in any circumstances; what may not is not even shown to a model. Undefined: it may. */
  withheld(request: PermissionRequest, attenuation: Attenuation | undefined): string | undefined {
    const stopped = this.stopped(stoppableOf(request));
    if (stopped) return stopped.message;
    const beyond = beyondAttenuation(request, attenuation);
    if (beyond) return beyond.failure.message;
    return this.engine.mayEver(request) ? undefined : 'No policy permits it in any circumstances.';
  }

  /** The refusal of what a kill switch stops now; undefined: nothing stops it. */
  stopped(stoppable: Stoppable): Failure | undefined {
    const off = this.switches.current.stopping(stoppable);
    return off && killed(off);
  }

  #reasons(request: PermissionRequest, verdict: Verdict): readonly string[] {
    const byPolicy = verdict.decision === 'ask' ? verdict.policies.map(({ id, ask }) => `${ask} (policy ${id})`) : [];
    const two = ruleOfTwo(exposureOf([...new Set([...request.circumstances.taint, ...ownLabels(request.on)])], this.isTrusted), effectOf(request.on));
    return two === undefined ? byPolicy : [...byPolicy, two];
  }

  #denial(request: PermissionRequest, { policies, principal, problem }: Extract<Verdict, { decision: 'deny' }>): Permitted {
    const { by, on } = request;
    const workflow = workflowName(by.workflow);
    const what = on.action === 'call' ? `tool ${JSON.stringify(on.name)}` : on.action === 'secret' ? `secret ${JSON.stringify(on.name)}` : `jobs of kind ${JSON.stringify(on.action)}`;
    const whom = principal === 'agent' ? `agent ${JSON.stringify(by.agent)} of workflow ${JSON.stringify(workflow)}` : `workflow ${JSON.stringify(workflow)}`;
    const details = {
      tenant: by.tenant,
      workflow,
      ...(by.agent === '' ? {} : { agent: by.agent }),
      kind: on.action === 'call' ? 'tool' : on.action,
      ...(on.action === 'call' ? { tool: on.name } : {}),
    };
    const deny = (message: string, needed: string): Permitted => ({
      kind: 'deny',
      policies,
      failure: rejection('denied', message, { details: policies.length === 0 ? details : { ...details, policies: policies.map(({ id }) => id) } }),
      needed: [needed],
    });
    const places = (some: readonly Policy[]): string => some.map(({ id, place }) => `${id} (${place})`).join(', ');
    if (problem !== undefined) return deny(`Expected ${what} to be judged for ${whom} but ${problem}.`, 'Arguments and policies that can be judged: what cannot is denied.');
    if (policies.length > 0) return deny(`Expected ${what} to be allowed to ${whom} but it is forbidden by ${places(policies)}.`, `None of the conditions of ${places(policies)} may hold.`);
    const asked = askingOf(request, principal);
    // Permits about exactly this whose conditions do not hold now.
    const near = this.engine.set.policies.filter(
      ({ effect, reads, isAbout }) => effect === 'permit' && isAbout(asked) && (reads.attributes.size > 0 || reads.names || reads.arguments === 'all' || reads.arguments.size > 0),
    );
    const right = on.action === 'call' ? `tools: [${on.name}]` : on.action === 'secret' ? `secrets: [${on.name}]` : `kinds: [${on.action}]`;
    const entry = `{tenant: ${by.tenant}, workflow: ${workflow}, ${principal === 'agent' ? `agents: [${by.agent}], ` : ''}${right}}`;
    const also = near.length === 0 ? '' : ` Conditions that do not hold: ${places(near)}.`;
    return deny(
      `Expected a grant of ${what} to ${whom} of tenant ${JSON.stringify(by.tenant)} but there is none. To give it, add to the grants file: ${entry}.${also}`,
      near.length === 0 ? `A grant: ${entry}` : `The conditions of ${places(near)}, or a grant: ${entry}`,
    );
  }
}

const stoppableOf = ({ by, on }: PermissionRequest): Stoppable => ({ tenant: by.tenant, workflow: by.workflow, agent: by.agent, target: targetName(on) });

/** An agent was given less than what policies allow: what none of its names and patterns means is denied, whatever they say. */
function beyondAttenuation({ by, on }: PermissionRequest, attenuation: Attenuation | undefined): Extract<Permitted, { kind: 'deny' }> | undefined {
  if (attenuation === undefined || on.action === 'infer' || attenuation.tools.some((pattern) => matchesName(pattern, targetName(on)))) return undefined;
  const name = targetName(on);
  return {
    kind: 'deny',
    policies: [],
    failure: rejection('denied', `Expected a tool that agent ${JSON.stringify(by.agent)} was given but ${JSON.stringify(name)} is none. It has: ${attenuation.tools.join(', ') || 'none'}.`, {
      details: { tenant: by.tenant, workflow: workflowName(by.workflow), agent: by.agent, tool: name },
    }),
    needed: [`${name} among the tools that the workflow gives to the agent`],
  };
}

function asking(request: PermissionRequest, policies: readonly Policy[], reasons: readonly string[], approvals: readonly Approval[]): Permitted {
  const subject = actionSubject(request, reasons);
  const digest = createHash('sha256').update(actionText(subject)).digest('hex');
  const { now } = request.circumstances;
  const approval = approvals.find((each) => approvalProblem(each, digest, now) === undefined);
  if (approval) return { kind: 'approved', policies, approval };
  const name = targetName(request.on);
  const rejected = approvals.map((each) => approvalProblem(each, digest, now)!);
  return {
    kind: 'ask',
    policies,
    failure: rejection(
      'approval-required',
      `Expected a person to approve ${name} with exactly these arguments but nobody has${rejected.length === 0 ? '' : `: ${rejected.join(', ')}`}. ${reasons.join(' ')}`,
      {
        details: { tool: name, digest, reasons },
      },
    ),
    approvalRequest: { digest, title: `May ${request.by.agent === '' ? request.by.workflow : request.by.agent} use ${name}?`, subjectJson: JSON.stringify(subject), reasons: [...reasons] },
  };
}
