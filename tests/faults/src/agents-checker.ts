// The judge of agents: what each was to do and no more, by the receipts of the outside world. It knows nothing of the product.
import type { Receipt } from './receipt-file.js';

/** What an agent that was asked for owes. */
export interface AskedAgent {
  readonly id: string;
  readonly executionId: string;
  /** `benign`: nothing was in its way. */
  readonly kind: 'killed' | 'stopped' | 'benign';
  readonly ends: 'completed' | 'faulted';
  /** Calls that must have had their effect, by tool, each once. */
  readonly effects: { readonly [tool: string]: number };
}

export interface AgentsInput {
  readonly asked: readonly AskedAgent[];
  readonly results: readonly { readonly executionId: string; readonly status: string }[];
  readonly receipts: readonly Receipt[];
  /** Tools whose receiver does a repeated key once. */
  readonly idempotent: readonly string[];
}

/** Each number counts violations, except `agents`, `effects`, `benign` and `benignCompleted`. */
export interface AgentsVerdict {
  readonly agents: number;
  readonly effects: number;
  readonly benign: number;
  readonly benignCompleted: number;
  /** Agents that did not end as they had to. */
  readonly endedOtherwise: number;
  /** (execution, tool, turn and call) whose effect happened more than once. */
  readonly effectsTwice: number;
  /** Calls that an agent owes and that never had their effect. */
  readonly effectsMissing: number;
  /** Calls that had an effect although nobody owes it: a limit that did not hold, or a turn that was taken twice. */
  readonly effectsBeyond: number;
  /** Receipts without a key, an execution or an iteration, of an unknown execution, or a key with two bodies. */
  readonly receiptsMalformed: number;
  readonly violations: readonly string[];
}

const BENIGN_SHARE = 0.99;
const VIOLATIONS_MAX = 20;

export function judgeAgents({ asked, results, receipts, idempotent }: AgentsInput): AgentsVerdict {
  const violations: string[] = [];
  const violate = (text: string): void => void (violations.length < VIOLATIONS_MAX && violations.push(text));
  const status = new Map(results.map((result) => [result.executionId, result.status]));
  const known = new Set(asked.map(({ executionId }) => executionId));
  let [endedOtherwise, effectsTwice, effectsMissing, effectsBeyond, receiptsMalformed, benignCompleted] = [0, 0, 0, 0, 0, 0];
  const done = new Map<string, Map<string, Set<string>>>();
  const bodies = new Map<string, string>();
  const happened = new Set<string>();
  for (const { receipt, tool, key, execution, iteration, bodySha256, fault } of receipts) {
    if (!key || !execution || !iteration || !known.has(execution) || (bodies.get(key) ?? bodySha256) !== bodySha256) {
      receiptsMalformed++;
      violate(`receipt ${receipt} of ${tool} has no key, execution or iteration, or its key came with another body`);
      continue;
    }
    bodies.set(key, bodySha256);
    if (fault === 'refused') continue;
    const place = `${tool} ${execution} ${iteration}`;
    // A receiver that knows its keys does a repeated one once; any other does it again.
    const effect = idempotent.includes(tool) ? `${place} ${key}` : `${place} ${key} ${receipt}`;
    if (happened.has(effect)) continue;
    happened.add(effect);
    const ofExecution = done.get(execution) ?? new Map<string, Set<string>>();
    done.set(execution, ofExecution);
    const places = ofExecution.get(tool) ?? new Set<string>();
    ofExecution.set(tool, places);
    if (places.has(iteration)) {
      effectsTwice++;
      violate(`the effect of ${place} happened more than once`);
    }
    places.add(iteration);
  }
  for (const { id, executionId, kind, ends, effects } of asked) {
    const end = status.get(executionId) ?? 'nothing';
    if (kind === 'benign' && end === ends) benignCompleted++;
    if (kind !== 'benign' && end !== ends) {
      endedOtherwise++;
      violate(`${id} ended as ${end} instead of ${ends}`);
    }
    if (kind === 'benign' && end !== ends) continue;
    const own = done.get(executionId);
    for (const tool of new Set([...Object.keys(effects), ...(own?.keys() ?? [])])) {
      const [owed, had] = [effects[tool] ?? 0, own?.get(tool)?.size ?? 0];
      effectsMissing += Math.max(0, owed - had);
      effectsBeyond += Math.max(0, had - owed);
      if (had !== owed) violate(`${id} had ${had} effects of ${tool} instead of ${owed}`);
    }
  }
  const benign = asked.filter(({ kind }) => kind === 'benign').length;
  if (benignCompleted < benign * BENIGN_SHARE) violate(`only ${benignCompleted} of ${benign} benign agents completed`);
  return { agents: asked.length, effects: happened.size, benign, benignCompleted, endedOtherwise, effectsTwice, effectsMissing, effectsBeyond, receiptsMalformed, violations };
}

/** Whether nothing was violated, and there was something to judge. */
export const isCleanOfAgents = ({ agents, violations }: AgentsVerdict): boolean => agents > 0 && violations.length === 0;
