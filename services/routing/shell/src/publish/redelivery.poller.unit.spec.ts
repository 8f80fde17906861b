import { contextOf } from '@weft/contracts';
import type { Bus } from '@weft/pipeline';
import { describe, expect, it } from 'vitest';
import type { StoredRequest } from '../persist/request-record.js';
import { RedeliveryPoller } from './redelivery.poller.js';

const PAGE = 256;
const due = (): StoredRequest[] =>
  Array.from({ length: PAGE }, (_, index) => ({
    tenant: 'default',
    source: '/s',
    id: `r${index}`,
    type: 'known',
    subject: '',
    dataJson: 'null',
    executionId: `0198a000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    verdict: { status: 'accepted', selection: { tableVersion: 'v', rule: 'r', definition: { namespace: 'n', name: 'w', version: '1.0.0', digest: 'd' }, reasons: [], rejected: [], models: [] } },
    acceptedAt: 0,
    context: contextOf({ tenant: 'default' }),
    payloadSalt: Buffer.alloc(16),
    payloadDigest: Buffer.alloc(32),
  }));

describe('RedeliveryPoller', () => {
  it('claims no more while the bus has not taken what was claimed before, and goes on once it has', async () => {
    const [open, pages]: [(() => void)[], StoredRequest[][]] = [[], [due(), due(), []]];
    const bus = { publish: () => new Promise<void>((resolve) => open.push(resolve)) } as unknown as Bus;
    const store = { claimDue: async () => pages.shift() ?? [], settle: async () => 0 };
    const poller = new RedeliveryPoller({ bus, clock: { now: () => 1_000 }, onFault: () => undefined, store }, { pollMs: 1_000 });
    expect(await poller.poll()).toBe(PAGE);
    expect([await poller.poll(), await poller.poll()]).toEqual([0, 0]);
    expect([open.length, pages.length]).toEqual([1, 2]);
    open[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await poller.poll()).toBe(PAGE);
    expect([open.length, pages.length]).toEqual([2, 1]);
  });
});
