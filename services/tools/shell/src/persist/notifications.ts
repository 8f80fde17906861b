// Wake-ups from the store. A notification that is lost costs time, never truth: whoever listens also looks by itself.
import type { Pool } from '@weft/adapter-postgres';

export interface Listening {
  /** Ends the connection. */
  close(): Promise<void>;
}

const RECONNECT_MS = 1_000;

/** Listens on channels with a connection of its own, and connects again by itself. `hear` also runs with an empty payload after each connecting: something may have been missed. */
export function listen(pool: Pool, channels: readonly string[], hear: (channel: string, payload: string) => void): Listening {
  let isClosed = false;
  let end: (() => void) | undefined;
  const ended = (async () => {
    while (!isClosed) {
      try {
        const client = await pool.connect();
        const gone = Promise.withResolvers<void>();
        end = () => gone.resolve();
        if (isClosed) gone.resolve();
        client.on('notification', ({ channel, payload }) => hear(channel, payload ?? ''));
        client.once('error', () => gone.resolve());
        client.once('end', () => gone.resolve());
        try {
          for (const channel of channels) await client.query(`listen ${channel}`);
          for (const channel of channels) hear(channel, '');
          await gone.promise;
        } finally {
          client.removeAllListeners('notification');
          // It is not handed to anybody else: it still listens.
          client.release(true);
        }
      } catch {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, RECONNECT_MS);
          end = () => (clearTimeout(timer), resolve());
          if (isClosed) end();
        });
      }
    }
  })();
  return {
    close: async () => {
      isClosed = true;
      end?.();
      await ended;
    },
  };
}
