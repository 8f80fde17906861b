// One thread of a run: carries out orders as they come.
import { parentPort } from 'node:worker_threads';
import { BUG_BANK, find } from '../bugs/bug-bank.js';
import type { Order } from './crew.js';
import { simulate } from './simulation.js';
import { addOutcome, emptyTally } from './tally.js';

parentPort?.on('message', (order: Order) => {
  // A defect here ends the thread, and with it the run.
  void carryOut(order).then((answer) => parentPort?.postMessage(answer));
});

async function carryOut(order: Order): Promise<unknown> {
  if (order.kind === 'bug') return find(BUG_BANK.find(({ name }) => name === order.name)!);
  const tally = emptyTally();
  for (const seed of order.seeds) addOutcome(tally, await simulate(seed));
  return tally;
}
