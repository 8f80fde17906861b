import { describe, expect, it } from 'vitest';
import { Admission } from './admission.js';

function given(count: () => number, backlogMax = 4) {
  const limits: number[] = [];
  const admission = new Admission(
    {
      countBacklog: async (limit) => {
        limits.push(limit);
        return Math.min(limit, count());
      },
      onFault: (fault) => {
        throw fault;
      },
    },
    { backlogMax, random: () => 0.5 },
  );
  return { admission, limits };
}

describe('Admission', () => {
  it('has as many places as may wait, fewer by each request accepted here', () => {
    const { admission } = given(() => 0);
    expect(admission.places).toBe(4);
    admission.accepted(3);
    expect(admission.places).toBe(1);
    admission.accepted(2);
    expect(admission.places).toBe(0);
  });

  it('has a place again for each execution that is heard to begin', () => {
    const { admission } = given(() => 0);
    admission.accepted(4);
    admission.begun(1);
    expect(admission.places).toBe(1);
  });

  it('counts what other replicas accepted', async () => {
    const { admission } = given(() => 4);
    admission.accepted(1);
    await admission.look();
    expect(admission.places).toBe(0);
  });

  it('keeps what it heard of while the store counted', async () => {
    let tell: (count: number) => void = () => undefined;
    const counting = new Promise<number>((resolve) => (tell = resolve));
    const admission = new Admission({ countBacklog: () => counting, onFault: () => undefined }, { backlogMax: 4 });
    admission.accepted(1);
    const looked = admission.look();
    admission.accepted(2);
    tell(1);
    await looked;
    expect(admission.backlog).toBe(3);
  });

  it('does not ask the store while it knows of nothing that waits', async () => {
    const { admission, limits } = given(() => 0);
    await admission.look();
    admission.accepted(1);
    await admission.look();
    await admission.look();
    expect(limits).toEqual([5]);
  });

  it('never has more places than the bound because executions of other replicas begin', () => {
    const { admission } = given(() => 0);
    admission.begun(10);
    expect(admission.places).toBe(4);
  });

  it('takes no more at once because executions of other replicas began before', async () => {
    const { admission } = given(() => 0);
    admission.begun(10);
    await admission.look();
    admission.accepted(4);
    expect(admission.places).toBe(0);
  });

  it('tells who is refused what was expected, and when to come back', () => {
    expect(given(() => 0).admission.refusal()).toMatchObject({ code: 'overloaded', retryable: true, retryAfterMs: 1_500, message: expect.stringMatching(/^Expected at most 4 .* but /) });
  });

  it('leaves messages of the bus where they are until there is room, and has room for them longer than for callers', async () => {
    const { admission } = given(() => 0);
    admission.accepted(4);
    expect(admission.places).toBe(0);
    await admission.roomForIntake();
    admission.accepted(1);
    let hasRoom = false;
    const waiting = admission.roomForIntake().then(() => (hasRoom = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasRoom).toBe(false);
    admission.begun(1);
    await waiting;
    expect(hasRoom).toBe(true);
  });

  it('lets the intake go when it stops, so that a drain ends', async () => {
    const { admission } = given(() => 0);
    admission.accepted(100);
    const waiting = admission.roomForIntake();
    await admission.stop();
    await waiting;
  });
});
