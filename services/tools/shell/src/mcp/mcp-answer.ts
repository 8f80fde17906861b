// What a call of an MCP tool came to.
import { ProtocolError, SdkError, SdkErrorCode, type CallToolResult } from '@modelcontextprotocol/client';
import { rejection, type Json } from '@weft/kernel';
import { classifyHttp, visibleText, type EffectClass, type EffectOutcome, type ToolTerms } from '@weft/tools/core';
import { exchangeOf } from '../carry-out/send-http.js';
import type { Sent } from '../carry-out/work.js';
import { checkedAnswer } from '../source/output-check.js';
import type { CallWatch } from './mcp-fetch.js';

// Errors by which a server says that it has not begun. Source: JSON-RPC 2.0, 5.1; MCP 2026-07-28, error codes.
const NOT_BEGUN: ReadonlySet<number> = new Set([-32_700, -32_600, -32_601, -32_021, -32_022, -32_042]);
// As a rule said before acting; but servers made with the official library say it too of a result that misses its schema, when all is done.
const INVALID_PARAMS = -32_602;

/** A result of a tool: its structured content first; one text is that text; anything else is the list of content blocks as it came. */
export function outputOf(result: CallToolResult): Json {
  if (result.structuredContent !== undefined) return result.structuredContent as Json;
  const [first, ...more] = result.content;
  return first?.type === 'text' && more.length === 0 ? first.text : (result.content as unknown as Json);
}

/** A result as what the call came to. An error that the tool reports is `unknown` for a write, unless the operator knows better. */
export function sentOf(result: CallToolResult, { effect, onError }: ToolTerms, outputProblem: (output: Json) => string | undefined): Sent {
  if (result.isError) return { outcome: reported(result, effect, onError) };
  return { outcome: { kind: 'confirmed' }, answer: checkedAnswer(outputOf(result), outputProblem) };
}

/** What an error means that a tool itself reports. */
export function reported({ content }: CallToolResult, effect: EffectClass, onError: 'failed' | 'unknown'): EffectOutcome {
  const words = visibleText(content.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join('\n')).slice(0, 2_000);
  return toolFailure(effect, onError === 'failed', `Expected the tool to do it but it reports an error: ${words}`, false);
}

/** A failure that the other side has told. `isKnown`: nothing was done. */
function toolFailure(effect: EffectClass, isKnown: boolean, message: string, retryable: boolean): EffectOutcome {
  if (isKnown || effect === 'read') return { kind: 'failed', failure: rejection('tool-failed', message, { retryable }) };
  return { kind: 'unknown', failure: rejection('effect-unknown', `${message}${/[.!?]$/.test(message) ? '' : '.'} The effect may have happened.`, { retryable: true }) };
}

/**
 * A call that brought no result. `isSent`: a byte of it may have left.
 *
 * | what | outcome |
 * |---|---|
 * | nothing left; no connection | failed |
 * | a JSON-RPC error that says that the server has not begun (parse, request, method, version, capability) | failed |
 * | the JSON-RPC error of invalid params | failed where the operator declares `onError: failed`, else unknown for writes |
 * | an HTTP status | as for HTTP: 4xx failed, other 5xx unknown |
 * | any other error, a timeout, a cut | unknown for writes |
 */
export function outcomeOfError(error: unknown, { effect, onError }: Pick<ToolTerms, 'effect' | 'onError'>, watch: CallWatch, isSent: boolean): EffectOutcome {
  if (error instanceof ProtocolError)
    return toolFailure(
      effect,
      NOT_BEGUN.has(error.code) || (error.code === INVALID_PARAMS && onError === 'failed'),
      `Expected a result but the server answers with error ${error.code}: ${visibleText(error.message).slice(0, 1_000)}`,
      false,
    );
  const { exchange } = watch;
  if (exchange && (exchange.kind !== 'answered' || exchange.status >= 300)) {
    const headers = exchange.kind === 'answered' && exchange.retryAfter !== undefined ? { 'retry-after': exchange.retryAfter } : {};
    return classifyHttp(effect, exchange.kind === 'answered' ? exchangeOf({ kind: 'answered', status: exchange.status, headers, body: Buffer.alloc(0), isTooLong: false }) : exchange);
  }
  const isLate = error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;
  const message = error instanceof Error ? visibleText(error.message).slice(0, 500) : 'something unnamed was thrown';
  if (!isSent) return classifyHttp(effect, { kind: 'notSent', code: isLate ? 'timeout' : 'unreachable', message: `Expected to reach the server but ${message}.`, retryable: true });
  return classifyHttp(effect, { kind: 'lost', reason: isLate ? 'timeout' : 'cut', message: `Expected a result but ${isLate ? 'none came in time' : message}.` });
}
