// Tools and effects as callers are shown them.
import type { EffectDetail, EffectSummary, ToolDetail, ToolSummary } from '@weft/contracts';
import { instantText, type Json } from '@weft/kernel';

const parsed = (text: string): Json | undefined => (text === '' ? undefined : (JSON.parse(text) as Json));
const timeOf = (ms: number): string | null => (ms === 0 ? null : instantText(Math.floor(ms)));

export function toolView({ name, source, state, effect, data, digest, summary, timeoutMs, concurrency, costMicros, hasReconcileHook, reason }: ToolSummary) {
  return { name, source, state, effect, data, digest, summary, timeoutMs, concurrency: concurrency === 0 ? null : concurrency, costMicros, hasReconcileHook, ...(reason === '' ? {} : { reason }) };
}

export function toolDetailView({ tool, offeredJson, acceptedJson, acceptedDigest, decidedBy, decidedAtMs, decisionReason, differences, invisible }: ToolDetail) {
  return {
    ...(tool ? toolView(tool) : {}),
    ...(decidedBy === '' ? {} : { decision: { by: decidedBy, at: timeOf(decidedAtMs), reason: decisionReason } }),
    invisible,
    offered: parsed(offeredJson) ?? null,
    accepted: acceptedJson === '' ? null : { digest: acceptedDigest, definition: parsed(acceptedJson) },
    // As JSON text: what nobody would see is written out.
    differences: differences.map(({ path, beforeJson, afterJson }) => ({ path, ...(beforeJson === '' ? {} : { before: beforeJson }), ...(afterJson === '' ? {} : { after: afterJson }) })),
  };
}

export function effectView(effect: EffectSummary) {
  const { key, executionId, pointer, iteration, generation, tool, state, attempts, dispatchedAtMs, recordedAtMs, settledBy, person } = effect;
  return {
    key,
    executionId,
    task: pointer,
    ...(iteration === '' ? {} : { iteration }),
    generation,
    tool,
    effect: effect.effect,
    state,
    attempts,
    dispatchedAt: timeOf(dispatchedAtMs),
    recordedAt: timeOf(recordedAtMs),
    ...(settledBy === '' ? {} : { settledBy }),
    ...(person === '' ? {} : { person }),
  };
}

export function effectDetailView({ effect, steps, requestJson, responseJson }: EffectDetail) {
  return {
    ...(effect ? effectView(effect) : {}),
    steps: steps.map(({ what, atMs, attempt, by, person }) => ({ what, at: timeOf(atMs), ...(attempt === 0 ? {} : { attempt }), ...(by === '' ? {} : { by }), ...(person === '' ? {} : { person }) })),
    request: parsed(requestJson) ?? null,
    response: parsed(responseJson) ?? null,
  };
}
