// A budget's counter as the store's numbers tell it.
import type { Tally } from '@weft/tools/core';

export interface CounterRow {
  readonly spent_money: number;
  readonly spent_tokens: number;
  readonly spent_calls: number;
  readonly reserved_money: number;
  readonly reserved_tokens: number;
  readonly reserved_calls: number;
}

export const tallyOf = (row: CounterRow): Tally => ({
  spent: { moneyMicros: row.spent_money, tokens: row.spent_tokens, calls: row.spent_calls },
  reserved: { moneyMicros: row.reserved_money, tokens: row.reserved_tokens, calls: row.reserved_calls },
});
