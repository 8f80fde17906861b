// What the store may do to a batch: lose an answer, refuse a row, be away.
import { contextOf } from '@weft/contracts';
import { rejection } from '@weft/kernel';
import { CommitUnknown, Fault, type Bus, type Outgoing } from '@weft/pipeline';
import { payloadDigest } from '@weft/proof';
import { describe, expect, it } from 'vitest';
import type { DecidedRequest, StoredRequest } from '../persist/request-record.js';
import { nameText } from '../persist/request.store.js';
import { acceptRequests, type AcceptPorts, type Candidate } from './accept-requests.js';

const candidate = (id: string): Candidate => ({
  keepsRefusal: false,
  incoming: { tenant: 'default', source: '/s', id, type: 'known', subject: '', data: null, dataJson: 'null', context: contextOf({ tenant: 'default' }) },
});

/** A store in memory. `fail` is asked before and after each batch is stored. */
function given(fail: (requests: readonly DecidedRequest[], moment: 'before' | 'after') => Error | undefined) {
  const rows = new Map<string, StoredRequest>();
  const published: Outgoing[] = [];
  const bus: Pick<Bus, 'publish'> = { publish: async (messages) => void published.push(...messages) };
  const ports: AcceptPorts = {
    table: { version: 'v', digestOf: () => '', table: { version: 1, models: [], routes: [{ name: 'r', when: { type: 'known' }, workflow: { namespace: 'n', name: 'w' } }] } },
    workflows: { resolveAll: async (choices) => choices.map(() => ({ kind: 'resolved', definition: { namespace: 'n', name: 'w', version: '1.0.0', digest: 'd' } })) },
    store: {
      store: async (requests) => {
        const before = fail(requests, 'before');
        if (before) throw before;
        const won = requests.filter((request) => !rows.has(nameText(request)));
        const salt = Buffer.alloc(16);
        for (const request of won) rows.set(nameText(request), { ...request, payloadSalt: salt, payloadDigest: payloadDigest(salt, request.dataJson) });
        const after = fail(requests, 'after');
        if (after) throw after;
        return new Set(won.map(({ executionId }) => executionId));
      },
      find: async (names) => names.flatMap((name) => rows.get(nameText(name)) ?? []),
      settle: async () => 0,
    },
    admission: { places: Infinity, accepted: () => undefined, refusal: () => rejection('overloaded', 'Expected fewer but it is full.') },
    bus: bus as Bus,
    clock: { now: () => 1_000 },
    tracer: () => undefined,
    onFault: () => undefined,
  };
  return { ports, rows, published };
}

describe('acceptRequests', () => {
  it('knows its own rows again when the answer to a commit that went through was lost', async () => {
    let lost = 0;
    const { ports, rows } = given((_, moment) => (moment === 'after' && lost++ === 0 ? new CommitUnknown('c', new Error('cut')) : undefined));
    const [first, second] = await acceptRequests(ports, [candidate('a'), candidate('b')]);
    expect([first, second]).toMatchObject([
      { kind: 'accepted', isDuplicate: false },
      { kind: 'accepted', isDuplicate: false },
    ]);
    expect([...rows.values()].map(({ executionId }) => executionId).sort()).toEqual([first, second].map((one) => (one?.kind === 'accepted' ? one.request.executionId : '')).sort());
  });

  it('stores again when the commit whose answer was lost did not go through', async () => {
    let lost = 0;
    const { ports, rows, published } = given((_, moment) => (moment === 'before' && lost++ === 0 ? new CommitUnknown('c', new Error('cut')) : undefined));
    expect(await acceptRequests(ports, [candidate('a')])).toMatchObject([{ kind: 'accepted', isDuplicate: false }]);
    expect([rows.size, published.length]).toEqual([1, 1]);
  });

  it('stores each request alone when the store refuses the batch, so that only the culprit fails', async () => {
    const { ports, rows, published } = given((requests, moment) => (moment === 'before' && requests.some(({ id }) => id === 'b') ? new Fault('refused', false) : undefined));
    expect(await acceptRequests(ports, [candidate('a'), candidate('b'), candidate('c')])).toMatchObject([{ kind: 'accepted' }, { kind: 'fault', fault: { message: 'refused' } }, { kind: 'accepted' }]);
    expect([...rows.values()].map(({ id }) => id)).toEqual(['a', 'c']);
    expect(published).toHaveLength(2);
  });

  it('fails as a whole, and publishes nothing, while the store is away', async () => {
    const { ports, published } = given((_, moment) => (moment === 'before' ? new Fault('away', true) : undefined));
    await expect(acceptRequests(ports, [candidate('a')])).rejects.toThrow('away');
    expect(published).toEqual([]);
  });

  it('refuses callers for whom there is no place, and stores nothing of them', async () => {
    const { ports, rows, published } = given(() => undefined);
    const admission = { ...ports.admission, places: 1 };
    const [first, second] = await acceptRequests({ ...ports, admission }, [candidate('a'), candidate('b')]);
    expect(first).toMatchObject({ kind: 'accepted' });
    expect(second).toMatchObject({ kind: 'refused', refusal: { code: 'overloaded' }, isDuplicate: false });
    expect([rows.size, published.length]).toEqual([1, 1]);
  });

  it('answers what was accepted before, also while there is no place', async () => {
    const { ports } = given(() => undefined);
    await acceptRequests(ports, [candidate('a')]);
    expect(await acceptRequests({ ...ports, admission: { ...ports.admission, places: 0 } }, [candidate('a'), candidate('b')])).toMatchObject([
      { kind: 'accepted', isDuplicate: true },
      { kind: 'refused', refusal: { code: 'overloaded' } },
    ]);
  });

  it('accepts what came over the bus although there is no place: it was read because there was room', async () => {
    const { ports } = given(() => undefined);
    expect(await acceptRequests({ ...ports, admission: { ...ports.admission, places: 0 } }, [{ ...candidate('a'), keepsRefusal: true }])).toMatchObject([{ kind: 'accepted' }]);
  });

  it('counts what it accepted, and not what it had accepted before or refused', async () => {
    const { ports } = given(() => undefined);
    let accepted = 0;
    const admission = { ...ports.admission, accepted: (count: number) => void (accepted += count) };
    const unknown = { ...candidate('u'), keepsRefusal: true, incoming: { ...candidate('u').incoming, type: 'unknown' } };
    await acceptRequests({ ...ports, admission }, [candidate('a'), candidate('a'), candidate('b'), unknown]);
    await acceptRequests({ ...ports, admission }, [candidate('a')]);
    expect(accepted).toBe(2);
  });
});
