import { describe, expect, it } from 'vitest';
import { judgeTakeover, type TakeoverInput } from './takeover-checker.js';

const BARS = { stallMs: { kill: 3_000, pause: 12_000, cut: 12_000 }, waitMs: { kill: 15_000, pause: 15_000, cut: 15_000 }, rollingFactor: 3 };

/** A request every 50 ms for a minute, each answered after 200 ms; a fault of each kind and a rolling restart along the way. */
function run(change: (request: { sentAt: number; doneAt?: number; status?: string }) => void = () => undefined): TakeoverInput {
  const requests = Array.from({ length: 1_200 }, (_, n) => {
    const request: { id: string; sentAt: number; doneAt?: number; status?: string } = { id: `r${n}`, sentAt: n * 50, doneAt: n * 50 + 200, status: 'completed' };
    change(request);
    return request;
  });
  return {
    requests,
    rounds: [
      { kind: 'kill', from: 10_000, to: 20_000 },
      { kind: 'pause', from: 20_000, to: 30_000 },
      { kind: 'cut', from: 30_000, to: 40_000 },
    ],
    steady: { from: 0, to: 10_000 },
    rolling: { from: 45_000, to: 55_000 },
    bars: BARS,
  };
}

/** Nothing ends between the two instants; what should have ended ends right after. */
const silence = (from: number, to: number) => (request: { doneAt?: number }) => {
  if (request.doneAt !== undefined && request.doneAt > from && request.doneAt < to) request.doneAt = to;
};

describe('the judge of take-overs', () => {
  it('finds nothing in a run without a stall', () => {
    const verdict = judgeTakeover(run());
    expect(verdict).toMatchObject({ rounds: { kill: 1, pause: 1, cut: 1 }, longestStallMs: { kill: 50, pause: 50, cut: 50 }, failed: 0, p99SteadyMs: 200, p99RollingMs: 200, missed: [] });
    expect(verdict.longestWaitMs).toEqual({ kill: 200, pause: 200, cut: 200 });
  });

  it('names a stall that is longer than its kind may have, and no other', () => {
    expect(judgeTakeover(run(silence(12_000, 15_500)))).toMatchObject({
      longestStallMs: { kill: 3_500, pause: 50, cut: 50 },
      missed: ['Expected at most 3000 ms, but after a kill nothing ended for 3500 ms.'],
    });
    expect(judgeTakeover(run(silence(22_000, 25_500))).missed).toEqual([]);
  });

  it('counts a stall that lasts to the end of its round', () => {
    const { longestStallMs } = judgeTakeover(run(silence(36_000, 48_500)));
    expect(longestStallMs.cut).toBe(12_500);
  });

  it('counts a stall that began just before its round', () => {
    expect(judgeTakeover(run(silence(9_000, 13_000))).longestStallMs.kill).toBe(4_000);
  });

  it('names a request that nobody took over, though all others went on', () => {
    const verdict = judgeTakeover(run((request) => void (request.sentAt === 25_000 && (request.doneAt = 45_000))));
    expect(verdict.longestWaitMs).toEqual({ kill: 200, pause: 20_000, cut: 20_000 });
    expect(verdict.missed).toHaveLength(2);
  });

  it('says so when one never ended', () => {
    const verdict = judgeTakeover(run((request) => void (request.sentAt === 15_000 && delete request.doneAt)));
    expect(verdict.longestWaitMs).toEqual({ kill: null, pause: null, cut: null });
    expect(verdict.missed[0]).toBe('Expected at most 15000 ms, but after a kill a request took for ever.');
  });

  it('counts requests of the rolling restart that failed or have no result', () => {
    const failed = judgeTakeover(run((request) => void (request.sentAt === 50_000 && (request.status = 'faulted'))));
    expect([failed.failed, failed.missed]).toEqual([1, ['Expected every request of the rolling restart to complete, but 1 did not.']]);
    expect(
      judgeTakeover(
        run((request) => {
          if (request.sentAt !== 50_000) return;
          delete request.doneAt;
          delete request.status;
        }),
      ).failed,
    ).toBe(1);
  });

  it('compares the slow requests of the rolling restart with those of the steady load', () => {
    const slow = judgeTakeover(run((request) => void (request.sentAt >= 50_000 && request.sentAt < 50_200 && (request.doneAt = request.sentAt + 700))));
    expect(slow.p99RollingMs).toBe(700);
    expect(slow.missed).toEqual(['Expected at most 600 ms, but the p99 of the rolling restart was 700 ms.']);
  });

  it('refuses to judge nothing', () => {
    expect(() => judgeTakeover({ ...run(), requests: [] })).toThrow('at least one result');
    expect(() => judgeTakeover({ ...run(), steady: { from: 900_000, to: 900_001 } })).toThrow('Expected requests between');
  });
});
