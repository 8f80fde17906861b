// Tools and effects over the public interface.
import type { GatewayClient } from './gateway-client.js';

export interface ToolShape {
  readonly name: string;
  readonly source: string;
  readonly state: string;
  readonly effect: string;
  readonly data: string;
  readonly digest: string;
  readonly summary: string;
  readonly timeoutMs: number;
  readonly concurrency: number | null;
  readonly costMicros: number;
  readonly hasReconcileHook: boolean;
  readonly reason?: string;
}

export interface ToolDetailShape extends ToolShape {
  readonly decision?: { readonly by: string; readonly at: string | null; readonly reason: string };
  readonly invisible: number;
  readonly offered: unknown;
  readonly accepted: { readonly digest: string; readonly definition: unknown } | null;
  readonly differences: readonly { readonly path: string; readonly before?: string; readonly after?: string }[];
}

export interface ToolsShape {
  readonly tools: readonly ToolShape[];
  readonly nextCursor: string;
  readonly problems: readonly { readonly source: string; readonly message: string }[];
}

export interface EffectShape {
  readonly key: string;
  readonly executionId: string;
  readonly task: string;
  readonly iteration?: string;
  readonly generation: number;
  readonly tool: string;
  readonly effect: string;
  readonly state: string;
  readonly attempts: number;
  readonly dispatchedAt: string | null;
  readonly recordedAt: string | null;
  readonly settledBy?: string;
  readonly person?: string;
}

export interface EffectDetailShape extends EffectShape {
  readonly steps: readonly { readonly what: string; readonly at: string | null; readonly attempt?: number; readonly by?: string; readonly person?: string }[];
  readonly request: unknown;
  readonly response: unknown;
}

const queryOf = (values: { readonly [name: string]: string | number | undefined }): string =>
  new URLSearchParams(Object.entries(values).flatMap(([name, value]): [string, string][] => (value === undefined || value === '' ? [] : [[name, String(value)]]))).toString();

export async function listTools(client: GatewayClient, asked: { readonly limit: number; readonly cursor?: string; readonly state?: string; readonly source?: string }): Promise<ToolsShape> {
  return (await client.call<ToolsShape>(`/v1/tools?${queryOf(asked)}`)).body;
}

export async function showTool(client: GatewayClient, name: string): Promise<ToolDetailShape> {
  return (await client.call<ToolDetailShape>(`/v1/tools/${encodeURIComponent(name)}`)).body;
}

export async function decideTool(client: GatewayClient, name: string, decision: { readonly digest: string; readonly outcome: 'accept' | 'reject'; readonly reason: string }): Promise<ToolDetailShape> {
  const body = JSON.stringify(decision);
  return (await client.call<ToolDetailShape>(`/v1/tools/${encodeURIComponent(name)}/decide`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).body;
}

export interface EffectsAsked {
  readonly limit: number;
  readonly cursor?: string;
  readonly state?: string;
  readonly execution?: string;
  readonly tool?: string;
}

export async function listEffects(client: GatewayClient, asked: EffectsAsked): Promise<{ readonly effects: readonly EffectShape[]; readonly nextCursor: string }> {
  return (await client.call<{ readonly effects: readonly EffectShape[]; readonly nextCursor: string }>(`/v1/effects?${queryOf({ ...asked })}`)).body;
}

export async function showEffect(client: GatewayClient, key: string): Promise<EffectDetailShape> {
  return (await client.call<EffectDetailShape>(`/v1/effects/${encodeURIComponent(key)}`)).body;
}
