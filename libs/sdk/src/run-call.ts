// One call of a tool: arguments in, result out. Never throws.
import { WorkerResult, type WorkerCall } from '@weft/contracts';
import { NotDone, type Tool, type ToolCallContext } from './define-tool.js';
import { conform } from './tool-schema.js';

/** Bytes of an answer as JSON: what Weft takes of a tool. A longer one is told as too long, not lost on the way. */
export const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Carries out a call. The result says what is known about its effect. */
export async function runCall(tool: Tool | undefined, call: WorkerCall, signal: AbortSignal, now: number): Promise<WorkerResult> {
  if (!tool) return failed(call, new NotDone(`Expected a tool that this worker brings but got ${JSON.stringify(call.tool)}.`, { code: 'not-configured' }));
  const input = conform(tool.options.input, JSON.parse(call.argumentsJson));
  if (!input.ok) return call.kind === 'reconcile' ? unclear(call) : failed(call, new NotDone(`Expected arguments that match the schema of the tool but ${input.problem}.`, { code: 'input-invalid' }));
  const context = contextOf(call, signal, now);
  if (call.kind === 'reconcile') return reconciled(tool, call, input.value, context);
  let value: unknown;
  try {
    value = await tool.run(input.value, context);
  } catch (error) {
    return error instanceof NotDone || tool.options.effect === 'read' ? failed(call, error) : unknown(call, error);
  }
  return completed(tool, call, value);
}

function completed(tool: Tool, call: WorkerCall, value: unknown): WorkerResult {
  const outputJson = outputOf(tool, value);
  // It was done: that its answer cannot be told is no reason to do it again.
  return result(call, 'completed', outputJson.ok ? { outputJson: outputJson.text } : { code: 'output-invalid', message: outputJson.problem });
}

async function reconciled(tool: Tool, call: WorkerCall, input: unknown, context: ToolCallContext): Promise<WorkerResult> {
  try {
    const answer = await tool.options.reconcile?.(input as never, context);
    if (answer?.happened === false) return result(call, 'did-not-happen', {});
    if (answer?.happened !== true) return unclear(call);
    const output = outputOf(tool, answer.output);
    return result(call, 'happened', { outputJson: output.ok ? output.text : 'null' });
  } catch {
    return unclear(call);
  }
}

type Output = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

function outputOf(tool: Tool, value: unknown): Output {
  const { output } = tool.options;
  const conforming = output === undefined ? { ok: true as const, value } : conform(output, value);
  if (!conforming.ok) return { ok: false, problem: `Expected an answer that matches the output schema but ${conforming.problem}.` };
  let text: string;
  try {
    text = JSON.stringify(conforming.value ?? null) ?? 'null';
  } catch (error) {
    return { ok: false, problem: `Expected an answer that JSON can hold but ${textOf(error)}.` };
  }
  return Buffer.byteLength(text) <= OUTPUT_BYTES_MAX ? { ok: true, text } : { ok: false, problem: `Expected an answer of at most ${OUTPUT_BYTES_MAX} bytes as JSON but it is longer.` };
}

function contextOf(call: WorkerCall, signal: AbortSignal, now: number): ToolCallContext {
  const { context } = call;
  return {
    idempotencyKey: call.idempotencyKey,
    tenant: context?.tenant ?? '',
    actor: context?.actor ?? '',
    purpose: context?.purpose ?? '',
    executionId: context?.executionId ?? '',
    workflow: call.workflow,
    task: call.pointer,
    iteration: call.iteration,
    agent: call.agent,
    traceparent: context?.traceparent ?? '',
    taint: context?.taint ?? [],
    deadlineMs: now + call.timeLeftMs,
    signal,
  };
}

function failed(call: WorkerCall, error: unknown): WorkerResult {
  const known = error instanceof NotDone ? error : undefined;
  return result(call, 'failed', { code: known?.code ?? 'tool-failed', message: textOf(error), retryable: known?.isRetryable ?? false, retryAfterMs: known?.retryAfterMs ?? 0 });
}

const unknown = (call: WorkerCall, error: unknown): WorkerResult => result(call, 'unknown', { code: 'effect-unknown', message: textOf(error), retryable: true });
const unclear = (call: WorkerCall): WorkerResult => result(call, 'unclear', {});
const result = (call: WorkerCall, outcome: string, more: Partial<WorkerResult>): WorkerResult => WorkerResult.create({ callId: call.id, outcome, ...more });

const MESSAGE_CHARACTERS_MAX = 1_000;
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, MESSAGE_CHARACTERS_MAX);
