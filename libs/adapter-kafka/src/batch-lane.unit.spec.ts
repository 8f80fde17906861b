import { contextOf, type Delivery } from '@weft/contracts';
import { describe, expect, it } from 'vitest';
import { BatchLane } from './batch-lane.js';

const delivery = (id: string): Delivery => ({ ok: true, envelope: { id, source: '/t', type: 't', key: id, context: contextOf({ tenant: 'default' }), body: null } });
const idsOf = (batch: readonly Delivery[]): string => batch.map((each) => (each.ok ? each.envelope.id : '?')).join('');

describe('BatchLane', () => {
  it('merges what is handed in within a tick, up to the bound', async () => {
    const seen: string[] = [];
    const lane = new BatchLane(async (batch) => void seen.push(idsOf(batch)), 3);
    await Promise.all([lane.submit([delivery('a'), delivery('b')]), lane.submit([delivery('c')]), lane.submit([delivery('d')])]);
    expect(seen).toEqual(['abc', 'd']);
  });

  it('calls the handler once at a time', async () => {
    let inside = 0;
    let insideMax = 0;
    const lane = new BatchLane(async () => {
      insideMax = Math.max(insideMax, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    }, 1);
    await Promise.all(['a', 'b', 'c'].map((id) => lane.submit([delivery(id)])));
    expect(insideMax).toBe(1);
  });

  it('tells each submitter of a throw, and goes on', async () => {
    let calls = 0;
    const lane = new BatchLane(async () => {
      if (++calls === 1) throw new Error('no');
    }, 2);
    const [first, second, third] = await Promise.allSettled([lane.submit([delivery('a')]), lane.submit([delivery('b')]), lane.submit([delivery('c')])]);
    expect([first?.status, second?.status, third?.status]).toEqual(['rejected', 'rejected', 'fulfilled']);
    await lane.submit([delivery('d')]);
    expect(calls).toBe(3);
  });
});
