// What executions and refusals are in the words of MCP.
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Execution } from '@weft/contracts';
import type { Json, JsonObject } from '@weft/kernel';
import type { Outcome } from '../answer/result-waiter.js';

const BLOCKS: ReadonlySet<unknown> = new Set(['text', 'image', 'audio', 'resource', 'resource_link']);

/** How an execution ended. Output that is made of content blocks is passed on as such; anything else as JSON. */
export function endedResult(executionId: string, { status, output, error }: Outcome): CallToolResult {
  const meta = { _meta: { 'ai.weft/execution': executionId } };
  if (status !== 'completed')
    return { ...meta, isError: true, content: [{ type: 'text', text: `The execution ${executionId} ${status === 'faulted' ? 'failed' : 'was cancelled'}: ${sentenceOf(error)}` }] };
  if (isContent(output)) return { ...meta, content: output.content as CallToolResult['content'] };
  return { ...meta, ...asJson(output ?? null) };
}

/** The handle of an execution that goes on. */
export function runningResult(executionId: string, status: string, followWith: string): CallToolResult {
  const handle = { executionId, status };
  return {
    content: [{ type: 'text', text: `The execution ${executionId} goes on (${status}). Ask for it with ${followWith}.` }],
    structuredContent: handle,
    _meta: { 'ai.weft/execution': executionId },
  };
}

/** An execution as it stands. */
export function executionResult({ executionId, status, outputJson, errorJson, waits }: Execution): CallToolResult {
  return asJson({
    executionId,
    status,
    ...(outputJson === '' ? {} : { output: JSON.parse(outputJson) as Json }),
    ...(errorJson === '' ? {} : { error: JSON.parse(errorJson) as Json }),
    ...(waits.length === 0 ? {} : { waitsFor: waits.map(({ kind, subject }) => ({ kind, subject })) }),
  });
}

/** A refusal, for the model to read. */
export const refusedResult = (code: string, message: string): CallToolResult => ({ isError: true, content: [{ type: 'text', text: `${message} (${code})` }], _meta: { 'ai.weft/code': code } });

export function asJson(value: Json): CallToolResult {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return { content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }], ...(isObject ? { structuredContent: value as JsonObject } : {}) };
}

function isContent(output: Json | undefined): output is { readonly content: readonly JsonObject[] } {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return false;
  const { content } = output as { readonly content?: Json };
  return (
    Object.keys(output).length === 1 &&
    Array.isArray(content) &&
    content.length > 0 &&
    content.every((block) => typeof block === 'object' && block !== null && BLOCKS.has((block as JsonObject)['type']))
  );
}

function sentenceOf(error: Json | undefined): string {
  const { detail, title } = (typeof error === 'object' && error !== null && !Array.isArray(error) ? error : {}) as { readonly detail?: Json; readonly title?: Json };
  return String(detail ?? title ?? 'nobody said why');
}
