// The judge of effects whose answers got lost: what the outside world did against what callers were told. It knows nothing of the product.
import type { Receipt } from './receipt-file.js';

/** A tool as it is declared, by the name that requests carry. */
export interface EffectTool {
  readonly name: string;
  /** How receipts name it. */
  readonly face: string;
  readonly tool: string;
  /** `idempotent`: the receiver does a repeated key once. `asked`: it can be asked what happened. `blind`: nobody can tell. */
  readonly kind: 'idempotent' | 'asked' | 'blind';
}

export interface EffectsInput {
  readonly tools: readonly EffectTool[];
  /** `told`: how its execution ended, or `person` when somebody is asked what happened. `fault` is empty for benign calls. */
  readonly asked: readonly { readonly id: string; readonly tool: string; readonly executionId: string; readonly fault: string; readonly told: string }[];
  readonly receipts: readonly Receipt[];
}

/** Each number counts violations, except `calls`, `faults`, `byFace`, `refused`, `persons`, `benign` and `benignDone`. */
export interface EffectsVerdict {
  readonly calls: number;
  /** Effects that were done and whose answer was lost. */
  readonly faults: number;
  /** The same by transport. */
  readonly byFace: { readonly [face: string]: number };
  /** Calls that were refused before anything was done. */
  readonly refused: number;
  /** Calls about which a person is asked. */
  readonly persons: number;
  /** Idempotent calls that had more than one effect: sent again under another key, or under none. */
  readonly duplicates: number;
  /** Other calls that were done more than once. */
  readonly blindRetries: number;
  /** Calls that were told to have failed although they had happened. */
  readonly falselyFailed: number;
  /** Calls that were told to be done although they had not happened. */
  readonly falselyDone: number;
  /** Calls that a person was asked about needlessly, and calls that have no end. */
  readonly unsettled: number;
  readonly benign: number;
  readonly benignDone: number;
  readonly details: readonly string[];
}

const DETAILS_MAX = 20;
const BENIGN_MIN = 0.99;

export function judgeEffects({ tools, asked, receipts }: EffectsInput): EffectsVerdict {
  const byExecution = Map.groupBy(receipts, ({ execution }) => execution);
  const declared = new Map(tools.map((tool) => [tool.name, tool]));
  const details: string[] = [];
  const byFace: Record<string, number> = {};
  const counts = { calls: asked.length, faults: 0, refused: 0, persons: 0, duplicates: 0, blindRetries: 0, falselyFailed: 0, falselyDone: 0, unsettled: 0, benign: 0, benignDone: 0 };
  const wrong = (sentence: string): 1 => {
    details.push(sentence);
    return 1;
  };
  for (const { fault, face } of receipts) {
    if (fault === null || fault === 'refused') continue;
    counts.faults++;
    byFace[face] = (byFace[face] ?? 0) + 1;
  }
  for (const { id, tool: name, executionId, fault, told } of asked) {
    const tool = declared.get(name);
    if (!tool) throw new Error(`Expected tool ${name} to be declared, but it is not`);
    const own = (byExecution.get(executionId) ?? []).filter((receipt) => receipt.tool === tool.tool && receipt.face === tool.face);
    const done = own.filter((receipt) => receipt.fault !== 'refused');
    const effects = tool.kind === 'idempotent' ? done.filter(({ key }, at) => key === null || done.findIndex((other) => other.key === key) === at).length : done.length;
    const said = `${name}, request ${id} (${fault || 'benign'}): told ${told} with ${effects} effects`;
    if (effects > 1 && tool.kind === 'idempotent') counts.duplicates += wrong(said);
    if (effects > 1 && tool.kind !== 'idempotent') counts.blindRetries += wrong(said);
    if (fault === '') {
      counts.benign++;
      if (told === 'completed' && effects === 1) counts.benignDone++;
    }
    if (own.length > done.length && effects === 0) counts.refused++;
    switch (told) {
      case 'completed':
        if (effects === 0) counts.falselyDone += wrong(said);
        break;
      case 'person':
        counts.persons++;
        // Only where nobody can tell may a person be asked.
        if (tool.kind !== 'blind') counts.unsettled += wrong(said);
        break;
      case 'faulted':
        if (effects > 0) counts.falselyFailed += wrong(said);
        break;
      default:
        counts.unsettled += wrong(said);
    }
  }
  return { ...counts, byFace, details: details.slice(0, DETAILS_MAX) };
}

export function isCleanOfEffects(verdict: EffectsVerdict): boolean {
  const { duplicates, blindRetries, falselyFailed, falselyDone, unsettled, benign, benignDone, faults } = verdict;
  return duplicates + blindRetries + falselyFailed + falselyDone + unsettled === 0 && faults > 0 && benign > 0 && benignDone >= benign * BENIGN_MIN;
}
