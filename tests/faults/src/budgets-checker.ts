// The judge of budgets: what the outside world received against what was to be spent. It knows nothing of the product.
import type { Receipt } from './receipt-file.js';

/** A tool of the receiver, by the name that receipts carry. */
export interface CappedTool {
  readonly tool: string;
  /** Calls that may happen; undefined: as many as are asked for. */
  readonly cap?: number;
  /** Whether every call that fits must pass; false where processes die and what was lost counts as spent. */
  readonly isExact: boolean;
  /** Whether the receiver does a repeated key once. */
  readonly idempotent: boolean;
  /** What the product tells at the end, in calls. */
  readonly spent?: number;
  readonly reserved?: number;
}

export interface BudgetsInput {
  readonly tools: readonly CappedTool[];
  /** What was asked for, and what the caller was told: `done`, `over budget`, or anything else. */
  readonly asked: readonly { readonly id: string; readonly tool: string; readonly executionId: string; readonly told: string }[];
  readonly receipts: readonly Receipt[];
}

/** Each number counts violations, except `calls`, `passed`, `refused`, `benign` and `benignDone`. */
export interface BudgetsVerdict {
  readonly calls: number;
  /** Calls of capped tools that happened. */
  readonly passed: number;
  /** Calls that were told to be over budget. */
  readonly refused: number;
  /** Calls beyond a cap. */
  readonly beyond: number;
  /** Calls that were refused although they fitted. */
  readonly wronglyRefused: number;
  /** Callers who were told of something else than what happened, or of nothing. */
  readonly toldWrong: number;
  /** Calls that are still reserved at the end. */
  readonly reservedLeft: number;
  /** Calls that happened and were not counted, or were counted beyond the cap. */
  readonly countedWrong: number;
  readonly benign: number;
  readonly benignDone: number;
  readonly details: readonly string[];
}

const DETAILS_MAX = 20;
const BENIGN_MIN = 0.99;

export function judgeBudgets({ tools, asked, receipts }: BudgetsInput): BudgetsVerdict {
  const details: string[] = [];
  const verdict = { calls: asked.length, passed: 0, refused: 0, beyond: 0, wronglyRefused: 0, toldWrong: 0, reservedLeft: 0, countedWrong: 0, benign: 0, benignDone: 0 };
  const wrong = (count: number, sentence: string): number => {
    if (count > 0) details.push(sentence);
    return count;
  };
  for (const { tool, cap, isExact, idempotent, spent = 0, reserved = 0 } of tools) {
    const own = receipts.filter((receipt) => receipt.tool === tool && receipt.fault !== 'refused');
    const happened = idempotent ? new Set(own.map(({ key }) => key)).size : own.length;
    const executions = new Set(own.map(({ execution }) => execution));
    const requests = asked.filter((one) => one.tool === tool);
    if (cap === undefined) {
      verdict.benign += requests.length;
      verdict.benignDone += requests.filter((one) => one.told === 'done' && executions.has(one.executionId)).length;
      continue;
    }
    const refused = requests.filter(({ told }) => told === 'over budget');
    verdict.passed += happened;
    verdict.refused += refused.length;
    verdict.beyond += wrong(Math.max(0, happened - cap), `${tool}: ${happened} calls happened under a cap of ${cap}`);
    const owed = Math.min(cap, requests.length);
    if (isExact) verdict.wronglyRefused += wrong(Math.max(0, owed - happened), `${tool}: ${happened} calls happened where ${owed} fit`);
    for (const { id, executionId, told } of requests) {
      const isRight = told === 'done' ? executions.has(executionId) : told === 'over budget' && !executions.has(executionId);
      // A read whose process died may have been done once, and then refused when it was to be done again.
      const isExcused = !isExact && told === 'over budget';
      if (!isRight && !isExcused) verdict.toldWrong += wrong(1, `${tool}: request ${id} was told ${told}, and its call ${executions.has(executionId) ? 'happened' : 'did not happen'}`);
    }
    verdict.reservedLeft += wrong(reserved, `${tool}: ${reserved} calls are still reserved at the end`);
    verdict.countedWrong += wrong(Math.max(0, happened - spent) + Math.max(0, spent - cap), `${tool}: ${spent} calls count as spent where ${happened} happened under a cap of ${cap}`);
  }
  return { ...verdict, details: details.slice(0, DETAILS_MAX) };
}

export function isCleanOfBudgets(verdict: BudgetsVerdict): boolean {
  const { beyond, wronglyRefused, toldWrong, reservedLeft, countedWrong, benign, benignDone } = verdict;
  return beyond + wronglyRefused + toldWrong + reservedLeft + countedWrong === 0 && benign > 0 && benignDone >= benign * BENIGN_MIN;
}
