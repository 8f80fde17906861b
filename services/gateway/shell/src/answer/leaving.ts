import type { Response } from 'express';

/** Aborted when the caller leaves before the answer is finished. */
export function leaving(response: Response): AbortSignal {
  const abort = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) abort.abort();
  });
  return abort.signal;
}
