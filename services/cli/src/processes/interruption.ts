// Ctrl-C while a command works for long: what it started is stopped, then the command ends.
import { CommandFailed, EXIT } from '../exit-codes.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How a command ends that was interrupted. */
export const interrupted = (): CommandFailed => new CommandFailed('Interrupted before it was done.', EXIT.interrupted);

/**
 * Does work that may be interrupted. At the first signal `told` rejects: work that races with it comes to its `finally`, where it
 * stops what it started. A second signal ends the command at once.
 * @throws CommandFailed 130 when it was interrupted.
 */
export async function interruptible<R>(onProgress: (text: string) => void, work: (told: Promise<never>) => Promise<R>): Promise<R> {
  const { promise: told, reject } = Promise.withResolvers<never>();
  // Heard at a time when nobody races with it, it must not count as unhandled.
  told.catch(() => undefined);
  let isTold = false;
  const hear = (): void => {
    if (isTold) process.exit(EXIT.interrupted);
    isTold = true;
    onProgress('stopping; press Ctrl-C again to end it at once');
    reject(interrupted());
  };
  for (const signal of SIGNALS) process.on(signal, hear);
  try {
    return await work(told);
  } finally {
    for (const signal of SIGNALS) process.off(signal, hear);
  }
}
