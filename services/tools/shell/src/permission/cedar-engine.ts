// The policy engine: a verdict for each principal of a request, kept by exactly what the policies about it read.
import { statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { argumentFacts, exposureOf, type ArgumentFacts, type Exposure, workflowName, type PermissionRequest, type Reads, type Target } from '@weft/tools/core';
import { askingOf, callOf, originOf, principalsOf, timeText } from './cedar-request.js';
import { readsAbout, type Policy, type PolicySet } from './policy-set.js';
import type { Asking } from './policy-scope.js';

/** What the policies say. */
export type Verdict =
  | { readonly decision: 'allow'; readonly policies: readonly Policy[] }
  /** A person may lift it. */
  | { readonly decision: 'ask'; readonly policies: readonly Policy[] }
  /** `policies`: those that forbid; none: nothing permits. `problem`: why the engine could not decide. */
  | { readonly decision: 'deny'; readonly principal: 'workflow' | 'agent'; readonly policies: readonly Policy[]; readonly problem?: string };

const SLOTS_MAX = 10_000;
const VERDICTS_MAX = 1_000;

/** Requests of the same principal, action and resource. */
interface Slot {
  readonly asking: Asking;
  readonly reads: Reads;
  readonly readsNothing: boolean;
  /** The verdict where nothing else is read. */
  constant: Verdict | undefined;
  readonly verdicts: Map<string, Verdict>;
}

export class CedarEngine {
  readonly #slots = new Map<string, Slot>();

  /** @param isTrusted which labels the operator vouches for. */
  constructor(
    readonly set: PolicySet,
    private readonly isTrusted: (label: string) => boolean,
  ) {}

  /** Every principal needs a permit, and no policy may forbid: the hardest verdict counts. */
  decide(request: PermissionRequest): Verdict {
    // A name of any other form would be read into parts by patterns that its author had not in mind.
    if (!/^[^/]+\/[^/]+$/.test(workflowName(request.by.workflow))) return { decision: 'deny', principal: 'workflow', policies: [], problem: 'its name is not of the form namespace/name' };
    let strictest: Verdict | undefined;
    for (const who of principalsOf(request)) {
      const verdict = this.#verdictOf(request, who);
      if (verdict.decision === 'deny') return verdict;
      if (strictest === undefined) strictest = verdict;
      // Two that agree speak together; a person who is asked hears of every reason.
      else if (strictest.decision === verdict.decision) strictest = { decision: verdict.decision, policies: [...new Set([...strictest.policies, ...verdict.policies])] };
      else if (verdict.decision === 'ask') strictest = verdict;
    }
    return strictest!;
  }

  /** Whether there are circumstances in which a tool may be used; arguments and context are not looked at. */
  mayEver(request: PermissionRequest): boolean {
    return principalsOf(request).every((who) => {
      const asked = evaluate(request, askingOf(request, who), this.set.possibleName, { untrusted: [], private: [] }, undefined);
      return asked.decision === 'allow';
    });
  }

  #verdictOf(request: PermissionRequest, who: 'workflow' | 'agent'): Verdict {
    const slot = this.#slotOf(request, who);
    if (slot.readsNothing) return (slot.constant ??= this.#evaluate(request, who, slot, undefined));
    const facts = readsArguments(slot.reads) ? argumentFacts(request.arguments) : undefined;
    const key = valuesRead(slot.reads, request, facts, this.isTrusted);
    const known = slot.verdicts.get(key);
    if (known) return known;
    if (slot.verdicts.size >= VERDICTS_MAX) slot.verdicts.clear();
    const verdict = this.#evaluate(request, who, slot, facts);
    slot.verdicts.set(key, verdict);
    return verdict;
  }

  #slotOf(request: PermissionRequest, who: 'workflow' | 'agent'): Slot {
    const { by, on } = request;
    const key = `${by.tenant}\n${by.workflow}\n${who === 'agent' ? by.agent : ''}\n${who}\n${on.action}\n${identityOf(on)}`;
    const known = this.#slots.get(key);
    if (known) return known;
    if (this.#slots.size >= SLOTS_MAX) this.#slots.clear();
    const asking = askingOf(request, who);
    const reads = readsAbout(this.set, asking);
    const readsNothing = reads.attributes.size === 0 && !readsArguments(reads);
    const slot: Slot = { asking, reads, readsNothing, constant: undefined, verdicts: new Map() };
    this.#slots.set(key, slot);
    return slot;
  }

  #evaluate(request: PermissionRequest, who: 'workflow' | 'agent', { asking, reads }: Slot, facts: ArgumentFacts | undefined): Verdict {
    const deny = (policies: readonly Policy[], problem?: string): Verdict => ({ decision: 'deny', principal: who, policies, ...(problem === undefined ? {} : { problem }) });
    if (readsArguments(reads) && facts === undefined) return deny([], 'the arguments have more parts than policies can judge');
    const odd = facts && unreadable(reads, facts);
    if (odd !== undefined) return deny([], odd);
    const exposure = exposureOf(request.circumstances.taint, this.isTrusted);
    const all = evaluate(request, asking, this.set.allName, exposure, facts);
    const known = (ids: readonly string[]): readonly Policy[] => ids.flatMap((id) => this.set.byId.get(id) ?? []);
    if (all.problem !== undefined) return deny(known(all.policies), all.problem);
    if (all.decision === 'allow') return { decision: 'allow', policies: known(all.policies) };
    const forbidding = known(all.policies);
    if (forbidding.length === 0 || forbidding.some(({ ask }) => ask === undefined)) return deny(forbidding);
    const hard = evaluate(request, asking, this.set.hardName, exposure, facts);
    if (hard.problem !== undefined || hard.decision === 'deny') return deny(known(hard.policies), hard.problem);
    return { decision: 'ask', policies: forbidding };
  }
}

/** All of a target that policies can read. */
function identityOf(on: Target): string {
  switch (on.action) {
    case 'call':
      return `${on.name}\n${on.pin}\n${on.effect}\n${on.data}\n${on.source}`;
    case 'infer':
      return `${on.id}\n${on.model}\n${on.endpoint}`;
    case 'secret':
      return on.name;
    case 'script':
    case 'shell':
    case 'container':
      return `${on.program}\n${on.effect}`;
    default:
      return `${on.method} ${on.effect} ${originOf(on.url)}`;
  }
}

const readsArguments = ({ arguments: args, names }: Reads): boolean => names || args === 'all' || args.size > 0;

interface Evaluated {
  readonly decision: 'allow' | 'deny';
  readonly policies: readonly string[];
  readonly problem?: string;
}

/** Whatever goes wrong in the engine is a denial. */
function evaluate(request: PermissionRequest, asking: Asking, policies: string, exposure: Exposure, facts: ArgumentFacts | undefined): Evaluated {
  try {
    const answer = statefulIsAuthorized(callOf(request, asking, { exposure, facts }, policies));
    if (answer.type === 'failure') return { decision: 'deny', policies: [], problem: answer.errors.map(({ message }) => message).join('; ') };
    const { decision, diagnostics } = answer.response;
    const [error] = diagnostics.errors;
    // The engine passes over a policy that it cannot evaluate: passing over a forbid would allow.
    if (error) return { decision: 'deny', policies: [error.policyId], problem: `policy ${error.policyId} cannot be evaluated: ${error.error.message}` };
    return { decision, policies: diagnostics.reason };
  } catch (error) {
    return { decision: 'deny', policies: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

/** An argument of another type than those by which policies read it would slip past them. */
function unreadable({ arguments: read }: Reads, facts: ArgumentFacts): string | undefined {
  if (read === 'all') return undefined;
  for (const [pointer, types] of read)
    if (facts.names.has(pointer) && ![...types].some((type) => facts[type].has(pointer)))
      return `policies read argument ${pointer} as ${[...types].join(' or ')} and it is none (numbers are whole ones, lists are of texts)`;
  return undefined;
}

/** Exactly the values that are read, as one text. */
function valuesRead(reads: Reads, { by, arguments: args, circumstances }: PermissionRequest, facts: ArgumentFacts | undefined, isTrusted: (label: string) => boolean): string {
  const values: unknown[] = [];
  const exposure = reads.attributes.has('untrusted') || reads.attributes.has('private') ? exposureOf(circumstances.taint, isTrusted) : undefined;
  for (const attribute of reads.attributes) {
    switch (attribute) {
      case 'actor':
        values.push(by.actor);
        break;
      case 'purpose':
        values.push(circumstances.purpose);
        break;
      case 'taint':
        values.push([...circumstances.taint].sort());
        break;
      case 'untrusted':
        values.push(exposure!.untrusted.length > 0);
        break;
      case 'private':
        values.push(exposure!.private.length > 0);
        break;
      case 'time':
        values.push(timeText(circumstances.now));
        break;
      default:
        values.push(circumstances.budget ?? null);
    }
  }
  if (reads.arguments === 'all' || reads.names) values.push(args);
  else if (facts)
    for (const pointer of reads.arguments.keys()) values.push([facts.names.has(pointer), facts.text.get(pointer), facts.number.get(pointer), facts.flag.get(pointer), facts.list.get(pointer)]);
  return JSON.stringify(values);
}
