import { LocalLimiter, LocalSlots } from '@weft/adapter-local';
import type { ModelCandidate } from '@weft/contracts';
import { FAILURES_MAX, OPEN_MS, type ModelProblem } from '@weft/tools/core';
import { describe, expect, it } from 'vitest';
import { ModelTraffic, type Passage } from './model-traffic.js';

const candidate: ModelCandidate = { id: 'm', endpoint: 'http://models.test/v1', model: 'm', keySecret: '', reason: '', simulated: true };
const status = (code: number, retryAfterMs?: number): ModelProblem => ({ kind: 'status', status: code, message: '', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

function traffic() {
  let time = 1_000;
  const made = new ModelTraffic({ limiterOf: (_name, allowance) => new LocalLimiter(allowance), slots: new LocalSlots(), now: () => time });
  const enter = async (): Promise<Passage | string> => {
    const entered = await made.enter(candidate, 1);
    return 'leave' in entered ? entered : 'message' in entered ? entered.message : entered.kind;
  };
  const leave = async (how: Parameters<Passage['leave']>[0]): Promise<void> => {
    const passage = await enter();
    if (typeof passage !== 'string') passage.leave(how);
  };
  return { enter, leave, pass: (ms: number) => void (time += ms) };
}

describe('a provider that failed too often', () => {
  it('is asked by one of those that come at once when it may be well again, and by all when it is', async () => {
    const { enter, leave, pass } = traffic();
    for (let failure = 0; failure < FAILURES_MAX; failure++) await leave(status(500));
    expect(await enter()).toContain(`failed ${FAILURES_MAX} times in a row`);
    pass(OPEN_MS);
    const entered = await Promise.all(Array.from({ length: 10 }, enter));
    const probes = entered.filter((one) => typeof one !== 'string');
    expect(probes).toHaveLength(1);
    probes[0]!.leave('answered');
    expect((await Promise.all([enter(), enter()])).every((one) => typeof one !== 'string')).toBe(true);
  });
});

describe('a provider that says when it wants to be asked again', () => {
  it('is left alone until then by every job', async () => {
    const { enter, leave, pass } = traffic();
    await leave(status(429, 30_000));
    expect(await enter()).toContain('it wants to be asked again in');
    pass(29_000);
    expect(await enter()).toContain('it wants to be asked again in');
    pass(1_000);
    expect(typeof (await enter())).not.toBe('string');
  });

  it('is asked again after two minutes at the latest, and at once when it gave no time', async () => {
    const { enter, leave, pass } = traffic();
    await leave(status(429, 86_400_000));
    pass(120_000);
    expect(typeof (await enter())).not.toBe('string');
    await leave(status(429));
    expect(typeof (await enter())).not.toBe('string');
  });
});
