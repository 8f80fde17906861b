// What a job has cost, told by its report.
import type { Command, Usage } from '@weft/contracts';
import { RESOURCES, type Amount } from './budget.js';

/** `spent` with what it cost; `freed`: nothing was done, all of it comes back. */
export type BudgetSettlement = { readonly state: 'spent'; readonly amount: Amount } | { readonly state: 'freed' };

/** Failures before anything is sent, of jobs that have no outcome. */
const NOTHING_SENT = new Set(['denied', 'approval-required', 'tool-quarantined', 'input-invalid', 'not-configured', 'budget-exceeded', 'message-invalid']);

/**
 * What becomes of a reservation. What may have happened counts as spent, at the provider's figures where it told them and else as estimated;
 * what is known not to have happened is freed.
 * @param isSent whether anything left: then the code of a failure, which may be the other side's word or that of a kill switch, frees nothing.
 */
export function settlementOf({ completeJob, failJob }: Command, estimate: Amount, isSent = false): BudgetSettlement {
  if (completeJob) return { state: 'spent', amount: amountOf(completeJob.usage, estimate) };
  if (!failJob) return { state: 'spent', amount: estimate };
  const isNothingDone = failJob.outcome === 'failed' || (failJob.outcome === 'none' && !isSent && NOTHING_SENT.has(failJob.failure?.code ?? ''));
  if (!isNothingDone) return { state: 'spent', amount: amountOf(failJob.usage, estimate) };
  return failJob.usage && amountOf(failJob.usage, estimate).tokens > 0 ? { state: 'spent', amount: amountOf(failJob.usage, estimate) } : { state: 'freed' };
}

/** Usage as whole numbers from 0; what cannot be is taken from the estimate. */
export function amountOf(usage: Usage | undefined, estimate: Amount): Amount {
  if (!usage) return estimate;
  const told: Amount = { moneyMicros: usage.moneyMicros, tokens: usage.inputTokens + usage.outputTokens, calls: usage.calls };
  return Object.fromEntries(
    RESOURCES.map((resource) => [resource, Number.isSafeInteger(Math.ceil(told[resource])) && told[resource] >= 0 ? Math.ceil(told[resource]) : estimate[resource]]),
  ) as unknown as Amount;
}
