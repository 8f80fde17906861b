import { initialExecution } from '@weft/orchestration/core';
import { describe, expect, it } from 'vitest';
import { LIFECYCLE_BYTES_MAX, lifecycleFields } from './lifecycle-event.js';

const facts = { ...initialExecution, executionId: 'e1', definition: { namespace: 'shop', name: 'order', version: '1.0.0', digest: 'd' } };
const big = 'é'.repeat(LIFECYCLE_BYTES_MAX / 2);

describe('the data of a lifecycle event', () => {
  it('names the execution as the standard does, and says when in RFC 3339', () => {
    expect(lifecycleFields(facts, { when: 'startedAt', at: 0, fields: { definition: {} } }, 5, '1.0.3')).toEqual({ name: 'order-e1.shop', startedAt: '1970-01-01T00:00:00.000Z', definition: {} });
    expect(lifecycleFields(facts, { when: 'completedAt' }, 5, '1.0.3')).toEqual({ name: 'order-e1.shop', completedAt: '1970-01-01T00:00:00.005Z' });
  });

  it('has the output in it, or refers to one that whoever forwards it might drop', () => {
    const completed = (output: string, profile: '1.0.3' | 'main' = '1.0.3'): object => lifecycleFields(facts, { when: 'completedAt', output }, 5, profile);
    expect(completed('small')).toMatchObject({ output: 'small' });
    expect(completed(big)).toEqual({ name: 'order-e1.shop', completedAt: '1970-01-01T00:00:00.005Z', outputUri: '/v1/executions/e1' });
    expect(completed('small', 'main')).toEqual({ name: 'order-e1.shop', completedAt: '1970-01-01T00:00:00.005Z', outputUri: '/v1/executions/e1' });
  });

  it('keeps of a long error what tells it apart', () => {
    const error = { type: 't', status: 500, title: 'x', detail: big };
    expect(lifecycleFields(facts, { when: 'faultedAt', fields: { error } }, 5, '1.0.3')).toMatchObject({ error: { type: 't', status: 500 } });
    expect(lifecycleFields(facts, { when: 'faultedAt', fields: { error: { type: 't', detail: 'short' } } }, 5, '1.0.3')).toMatchObject({ error: { type: 't', detail: 'short' } });
  });
});
