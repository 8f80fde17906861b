import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';

describe('eventually', () => {
  it('answers the first truthy value', async () => {
    let looks = 0;
    expect(await eventually(() => (++looks < 3 ? undefined : `look ${looks}`), { intervalMs: 1 })).toBe('look 3');
  });

  it('takes a look that throws as not yet', async () => {
    let looks = 0;
    const look = async (): Promise<boolean> => {
      if (++looks < 2) throw new Error('connection refused');
      return true;
    };
    expect(await eventually(look, { intervalMs: 1 })).toBe(true);
  });

  it('says after the deadline what was waited for and what was seen last', async () => {
    const waiting = eventually(() => 0, { what: 'the backlog to drain', timeoutMs: 20, intervalMs: 5 });
    await expect(waiting).rejects.toThrow(/^Expected the backlog to drain within 20 ms, but it did not\. Looks: \d+\. Last seen: 0$/);
    const failing = eventually(() => Promise.reject(new Error('no such host')), { timeoutMs: 10, intervalMs: 5 });
    await expect(failing).rejects.toThrow('Last seen: thrown: no such host');
  });

  it('gives up on a look that never returns', async () => {
    await expect(eventually(() => new Promise(() => {}), { timeoutMs: 20 })).rejects.toThrow('Looks: 0. Last seen: nothing');
  });
});
