import { ProtocolError, SdkError, SdkErrorCode, type CallToolResult } from '@modelcontextprotocol/client';
import type { EffectClass, ToolTerms } from '@weft/tools/core';
import { describe, expect, it } from 'vitest';
import { outcomeOfError, outputOf, sentOf } from './mcp-answer.js';
import type { CallWatch } from './mcp-fetch.js';

const terms = (effect: EffectClass, onError: 'failed' | 'unknown' = 'unknown'): ToolTerms => ({ effect, onError, data: 'public', timeoutMs: 1, concurrency: 0, costMicros: 0 });
const result = (more: Partial<CallToolResult> = {}): CallToolResult => ({ content: [{ type: 'text', text: 'ok' }], ...more });
const watch = (exchange?: CallWatch['exchange']): CallWatch => ({ mayRepeat: false, untilMs: 0, discards: [], ...(exchange ? { exchange } : {}) });
const WRITE = 'non-idempotent-write';

describe('the output of an MCP tool', () => {
  it('is the structured content, else the one text, else the blocks', () => {
    expect(outputOf(result({ structuredContent: { a: 1 } }))).toEqual({ a: 1 });
    expect(outputOf(result())).toBe('ok');
    const two = [
      { type: 'text' as const, text: 'a' },
      { type: 'text' as const, text: 'b' },
    ];
    expect(outputOf(result({ content: two }))).toEqual(two);
    expect(outputOf(result({ content: [] }))).toEqual([]);
  });

  it('is unusable, although it happened, when it misses its schema, is too long or holds what cannot be stored', () => {
    for (const content of ['x'.repeat(1024 * 1024 + 1), 'a\u0000b'])
      expect(sentOf(result({ content: [{ type: 'text', text: content }] }), terms(WRITE), () => undefined)).toMatchObject({
        outcome: { kind: 'confirmed' },
        answer: { unusable: { code: 'output-invalid' } },
      });
    expect(sentOf(result(), terms(WRITE), () => 'it is no number')).toMatchObject({ outcome: { kind: 'confirmed' }, answer: { unusable: { code: 'output-invalid' } } });
  });

  it.each<[EffectClass, 'failed' | 'unknown', string, string]>([
    ['read', 'unknown', 'failed', 'tool-failed'],
    ['idempotent-write', 'unknown', 'unknown', 'effect-unknown'],
    [WRITE, 'unknown', 'unknown', 'effect-unknown'],
    [WRITE, 'failed', 'failed', 'tool-failed'],
  ])('an error that a tool of class %s reports, declared %s, is %s', (effect, onError, kind, code) => {
    const sent = sentOf(result({ isError: true, content: [{ type: 'text', text: 'No such\u200b account' }] }), terms(effect, onError), () => undefined);
    expect(sent.outcome).toMatchObject({ kind, failure: { code, message: expect.stringContaining('No such account') } });
  });
});

describe('a call that brings no result', () => {
  it.each([-32_700, -32_600, -32_601, -32_021, -32_022])('is known not to have happened when the server says that it has not begun (%i)', (code) => {
    expect(outcomeOfError(new ProtocolError(code, 'no'), terms(WRITE), watch(), true)).toMatchObject({ kind: 'failed', failure: { code: 'tool-failed', retryable: false } });
  });

  it.each([-32_603, -32_000, 1])('may have happened when the server says anything else (%i)', (code) => {
    expect(outcomeOfError(new ProtocolError(code, 'oh'), terms(WRITE), watch(), true)).toMatchObject({ kind: 'unknown', failure: { code: 'effect-unknown' } });
    expect(outcomeOfError(new ProtocolError(code, 'oh'), terms('read'), watch(), true)).toMatchObject({ kind: 'failed', failure: { code: 'tool-failed' } });
  });

  it('may have happened when the server complains of params, which it also does of results, unless the operator knows better', () => {
    expect(outcomeOfError(new ProtocolError(-32_602, 'Output validation error'), terms(WRITE), watch(), true)).toMatchObject({ kind: 'unknown', failure: { code: 'effect-unknown' } });
    expect(outcomeOfError(new ProtocolError(-32_602, 'no such tool'), terms(WRITE, 'failed'), watch(), true)).toMatchObject({ kind: 'failed', failure: { code: 'tool-failed' } });
  });

  it('may have happened after a timeout or a cut', () => {
    expect(outcomeOfError(new SdkError(SdkErrorCode.RequestTimeout, 'late'), terms(WRITE), watch(), true)).toMatchObject({ kind: 'unknown' });
    expect(outcomeOfError(new SdkError(SdkErrorCode.ConnectionClosed, 'gone'), terms('idempotent-write'), watch(), true)).toMatchObject({ kind: 'unknown' });
    expect(outcomeOfError(new SdkError(SdkErrorCode.InvalidResult, 'what?'), terms(WRITE), watch({ kind: 'answered', status: 200 }), true)).toMatchObject({ kind: 'unknown' });
    expect(outcomeOfError(new SdkError(SdkErrorCode.RequestTimeout, 'late'), terms('read'), watch(), true)).toMatchObject({ kind: 'failed', failure: { code: 'timeout', retryable: true } });
  });

  it('has not happened when nothing of it left', () => {
    expect(outcomeOfError(new Error('there is none'), terms(WRITE), watch(), false)).toMatchObject({ kind: 'failed', failure: { code: 'unreachable', retryable: true } });
    const refused = { kind: 'notSent', code: 'denied', message: 'Expected a public address.', retryable: false } as const;
    expect(outcomeOfError(new TypeError('x'), terms(WRITE), watch(refused), true)).toMatchObject({ kind: 'failed', failure: { code: 'denied' } });
  });

  it.each<[number, 'failed' | 'unknown']>([
    [400, 'failed'],
    [401, 'failed'],
    [404, 'failed'],
    [429, 'failed'],
    [500, 'unknown'],
    [502, 'unknown'],
  ])('is what HTTP says by status %i: %s', (status, kind) => {
    expect(outcomeOfError(new Error('x'), terms(WRITE), watch({ kind: 'answered', status }), true).kind).toBe(kind);
  });

  it('says when to come again', () => {
    expect(outcomeOfError(new Error('x'), terms(WRITE), watch({ kind: 'answered', status: 503, retryAfter: '2' }), true)).toMatchObject({
      kind: 'failed',
      failure: { retryable: true, retryAfterMs: 2_000 },
    });
  });
});
