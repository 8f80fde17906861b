// Results as they come, all that are ready in one tick in one batch.
import type { Command, CommandBatch } from '@weft/contracts';

/** What a job comes to: undefined means that nothing is reported, and the job is dispatched again later. */
export type Carried = Command | undefined | Promise<Command | undefined>;

// A message of the wire holds 32 MiB; one output at most about 1 MiB more than this.
const BATCH_CHARACTERS_MAX = 8 * 1024 * 1024;

/** Streams the commands of a batch of jobs. It ends when every job has come to something. */
export async function* commandBatches(carried: readonly Carried[]): AsyncGenerator<CommandBatch, void, undefined> {
  const ready: Command[] = [];
  let open = 0;
  let wake: (() => void) | undefined;
  const settle = (command: Command | undefined): void => {
    open--;
    if (command) ready.push(command);
    wake?.();
  };
  for (const result of carried) {
    if (result instanceof Promise) {
      open++;
      result.then(settle, () => settle(undefined));
    } else if (result) {
      ready.push(result);
    }
  }
  for (;;) {
    if (ready.length > 0) {
      const commands = ready.splice(0, fitting(ready));
      yield { commands };
    }
    if (open === 0 && ready.length === 0) return;
    if (ready.length > 0) continue;
    await new Promise<void>((resolve) => (wake = resolve));
    wake = undefined;
    // Whatever else becomes ready in this turn of the event loop goes along.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** How many of the commands go into one batch; at least one. */
function fitting(ready: readonly Command[]): number {
  let characters = 0;
  for (let count = 0; count < ready.length; count++) {
    characters += ready[count]?.completeJob?.outputJson.length ?? 0;
    if (characters > BATCH_CHARACTERS_MAX && count > 0) return count;
  }
  return ready.length;
}
