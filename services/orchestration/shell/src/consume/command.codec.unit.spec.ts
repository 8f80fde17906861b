import { Command } from '@weft/contracts';
import { describe, expect, it } from 'vitest';
import { readCommand } from './command.codec.js';

const failed = (retryAfterMs: number): Command =>
  Command.fromPartial({
    id: 'c',
    executionId: '00000000-0000-7000-8000-000000000001',
    context: { tenant: 'default', attempt: 1 },
    failJob: { jobId: 'j', failure: { code: 'http-status', message: 'busy', retryable: true, retryAfterMs }, outcome: 'none' },
  });

describe('a failed job as it travels', () => {
  it.each([
    [1_500.2, { retryAfterMs: 1_501 }],
    [1e300, { retryAfterMs: 86_400_000 }],
    [Infinity, { retryAfterMs: 86_400_000 }],
    [0, {}],
    [-1, {}],
    [NaN, {}],
  ])('says when to come again, in whole milliseconds and a day at most: %d', (retryAfterMs, expected) => {
    expect(readCommand(failed(retryAfterMs))).toEqual({
      ok: true,
      command: expect.objectContaining({ type: 'FailJob', attempt: 1, failure: { code: 'http-status', message: 'busy', retryable: true, ...expected } }),
    });
  });
});
