import type { Job } from '@weft/contracts';
import { rejection } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { completion, failureReport, priced } from './report.js';

const job = { id: 'x/do/0/a', executionId: 'x', generation: 0, context: undefined } as unknown as Job;
const failure = rejection('timeout', 'Expected an answer.');

describe('what a call with a price is reported with', () => {
  it('is its price, when it was done or may have been', () => {
    expect(priced(completion(job, '1', undefined, []), 250).completeJob?.usage).toMatchObject({ moneyMicros: 250, calls: 1 });
    expect(priced(failureReport(job, failure, 'unknown'), 250).failJob?.usage).toMatchObject({ moneyMicros: 250 });
  });

  it('is nothing, when it was not done or is free', () => {
    expect(priced(failureReport(job, failure, 'failed'), 250).failJob?.usage).toBeUndefined();
    expect(priced(failureReport(job, failure, 'none'), 250).failJob?.usage).toBeUndefined();
    expect(priced(completion(job, '1', undefined, []), 0).completeJob?.usage).toBeUndefined();
  });
});
