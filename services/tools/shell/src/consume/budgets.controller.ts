// The Budgets service of tools, in process and over gRPC.
import { Inject } from '@nestjs/common';
import { BudgetsService, type BudgetName, type BudgetPage, type BudgetsPeer, type BudgetState, type Context, type ListBudgetsRequest, type SetBudgetRequest } from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';

/** Token of the budgets of this process: a `BudgetsPeer` that may be called in process. */
export const BUDGETS_PEER = Symbol('weft.tools.budgets');

@PeerController(BudgetsService, 'tools')
export class BudgetsController implements BudgetsPeer {
  constructor(@Inject(BUDGETS_PEER) private readonly budgets: BudgetsPeer) {}

  listBudgets(request: ListBudgetsRequest, context: Context): Promise<BudgetPage> {
    return this.budgets.listBudgets(request, context);
  }

  setBudget(request: SetBudgetRequest, context: Context): Promise<BudgetState> {
    return this.budgets.setBudget(request, context);
  }

  removeBudget(name: BudgetName, context: Context): Promise<BudgetState> {
    return this.budgets.removeBudget(name, context);
  }
}
