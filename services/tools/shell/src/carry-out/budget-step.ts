// The place of budgets in carrying out a job: after it is permitted, before anything is recorded or sent.
import type { Command, Job } from '@weft/contracts';
import { rejection, type Failure } from '@weft/kernel';
import { budgetExceeded, capsOf, failureReport, fit, ONE_CALL, settlementOf, type Amount, type Charge, type Spending } from '@weft/tools/core';
import { randomUUID } from 'node:crypto';
import type { BudgetLedger, Hold } from '../budget/budget.ledger.js';
import type { EffectLedger } from '../persist/effect.ledger.js';
import type { Carried } from './command-stream.js';
import type { Sent, Work } from './work.js';

export interface BudgetPorts {
  readonly budgets: BudgetLedger;
  readonly ledger: EffectLedger;
}

/** What is drawn on: a tool by its name, or a model by its id. */
export interface Drawing {
  readonly tool: string;
  readonly model: string;
  /** At most so much. */
  readonly estimate: Amount;
  /** Whether the effect ledger knows the job by its key: then a key is one call, however often it is carried out. */
  readonly isRecorded: boolean;
  /** How long what is sent may be on its way, milliseconds. */
  readonly timeoutMs: number;
}

/** What a tool's call draws. @param costMicros its price, millionths. */
export const callDrawing = (tool: string, costMicros: number, isRecorded: boolean, timeoutMs: number): Drawing => ({
  tool,
  model: '',
  estimate: costMicros > 0 ? { ...ONE_CALL, moneyMicros: costMicros } : ONE_CALL,
  isRecorded,
  timeoutMs,
});

/**
 * Carries out a job within the budgets that it draws on: reserves before, settles after. Over budget nothing is done: `budget-exceeded`.
 * Without a budget it is carried out as it is.
 * @param run is told what it holds.
 */
export function withinBudgets(ports: BudgetPorts, job: Job, drawing: Drawing, run: (holding: Holding) => Carried): Carried {
  if (!ports.budgets.mayDraw(job)) return run(FOR_EVER);
  const spending = spendingOf(job, drawing);
  const lacking = lackingHere(job, spending);
  if (lacking) return failureReport(job, lacking, 'none');
  const charges = ports.budgets.chargesOf(spending);
  return charges.length === 0 ? run(FOR_EVER) : reserved(ports, job, drawing, charges, run);
}

/** Whether no budget concerns a job: then it needs nobody's answer. */
export function drawsNothing({ budgets }: Pick<BudgetPorts, 'budgets'>, job: Job, drawing: Drawing): boolean {
  if (!budgets.mayDraw(job)) return true;
  const spending = spendingOf(job, drawing);
  return lackingHere(job, spending) === undefined && budgets.chargesOf(spending).length === 0;
}

/** What a carrying-out holds of budgets. */
export interface Holding {
  /** Monotonic instant (`performance.now()`) until which it certainly holds: nothing may leave later. */
  readonly untilMs: () => number;
  /** Something leaves: from now on a failure alone does not tell that nothing was done. */
  readonly onSend: () => void;
}

/** What one call within a job may spend. `settle` tells what it has used, once; undefined: nothing was sent. */
export type Drawn = { readonly ok: true; settle(used: Amount | undefined): Promise<void> } | { readonly ok: false; readonly failure: Failure };

/** Where no budget limits a call. */
export const UNLIMITED: Drawn = { ok: true, settle: async () => undefined };

/**
 * Reserves for one call of a job that makes several, as of a model. Failure: `budget-exceeded`.
 * What is left to an agent does not count here: its execution looks at that between turns, and grants it a last one.
 */
export async function drawnFor({ budgets }: Pick<BudgetPorts, 'budgets'>, job: Job, drawing: Drawing): Promise<Drawn> {
  if (!budgets.mayDraw(job)) return UNLIMITED;
  const spending = spendingOf(job, drawing);
  const charges = budgets.chargesOf(spending);
  if (charges.length === 0) return UNLIMITED;
  const id = { tenant: spending.tenant, key: job.idempotencyKey, hold: randomUUID() };
  const reserving = await budgets.reserve(id, charges, drawing.estimate, drawing.timeoutMs);
  if (!reserving.ok) return reserving;
  const { hold } = reserving;
  return { ok: true, settle: async (used) => hold && budgets.settle(hold, used ? { state: 'spent', amount: used } : { state: 'freed' }) };
}

/** A work that does not send once its reservation may be over: somebody else may have taken the budget. */
export function sentWhileHeld(work: Work, holding: Holding): Work {
  if (holding === FOR_EVER) return work;
  const { untilMs, onSend } = holding;
  return {
    ...work,
    send: async (sending) => {
      if (performance.now() >= untilMs()) return NOT_HELD;
      onSend();
      return work.send({ ...sending, untilMs: Math.min(sending.untilMs, untilMs()) });
    },
  };
}

const FOR_EVER: Holding = { untilMs: () => Number.POSITIVE_INFINITY, onSend: () => undefined };

const NOT_HELD: Sent = { outcome: { kind: 'failed', failure: rejection('timeout', 'Expected to send while the budget was reserved but the reservation is over.', { retryable: true }) } };

async function reserved({ budgets, ledger }: BudgetPorts, job: Job, drawing: Drawing, charges: readonly Charge[], run: (holding: Holding) => Carried): Promise<Command | undefined> {
  const { estimate, isRecorded, timeoutMs } = drawing;
  const id = { tenant: job.context?.tenant ?? '', key: job.idempotencyKey, hold: isRecorded ? '' : randomUUID() };
  const reserving = await budgets.reserve(id, charges, estimate, timeoutMs);
  if (!reserving.ok) {
    // What was sent before there was a budget is told by the ledger, and costs nothing now.
    if (isRecorded && (await ledger.look(job.idempotencyKey)).status !== 'none') return run(FOR_EVER);
    return failureReport(job, reserving.failure, 'none');
  }
  const { hold } = reserving;
  return hold ? settled(budgets, hold, run) : run(FOR_EVER);
}

async function settled(budgets: BudgetLedger, hold: Hold, run: (holding: Holding) => Carried): Promise<Command | undefined> {
  let isSent = false;
  try {
    const command = await run({ untilMs: () => hold.untilMs, onSend: () => (isSent = true) });
    if (command) await budgets.settle(hold, settlementOf(command, hold.amount, isSent));
    return command;
  } finally {
    budgets.release(hold);
  }
}

function spendingOf(job: Job, { tool, model, estimate }: Drawing): Spending {
  const caps = job.context?.budget;
  return { tenant: job.context?.tenant ?? '', executionId: job.executionId, workflow: job.workflow, agent: job.agent, tool, model, estimate, ...(caps ? { executionCaps: capsOf(caps) } : {}) };
}

/** What an agent was given of its parent's budget is counted by the execution; here a call that would exceed what is left is not begun. */
function lackingHere(job: Job, { tenant, estimate }: Spending): Failure | undefined {
  const left = job.attenuation?.budget;
  if (!left) return undefined;
  const charge: Charge = { tenant, counter: '', start: 0, caps: capsOf(left), budget: { scope: 'agent', name: job.agent, per: 'total' } };
  const [shortage] = fit([{ charges: [charge], amount: estimate }], new Map());
  return shortage && budgetExceeded(shortage, estimate);
}
