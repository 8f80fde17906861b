// An execution's outcome in the shape of OpenAI's chat completion.
import type { Accepted, Timeline } from '@weft/contracts';
import { isJsonObject, refuse, type Json } from '@weft/kernel';
import type { Outcome } from './result-waiter.js';

export interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** What an execution has answered. */
export interface ChatAnswer {
  readonly content: string;
  readonly finishReason: string;
  /** Where its output names one. */
  readonly model?: string;
  /** Absent when the output carries none. */
  readonly usage?: ChatUsage;
}

/**
 * The answer in an outcome. Its text is the output's field `content`, or the output itself when it is text, or
 * the output as JSON. @throws Refused `workflow-failed` when the execution did not complete.
 */
export function chatAnswer(accepted: Accepted, outcome: Outcome): ChatAnswer {
  if (outcome.status !== 'completed') {
    refuse('workflow-failed', `Expected execution ${accepted.executionId} to complete but it ${outcome.status === 'cancelled' ? 'was cancelled' : `${outcome.status}: ${sentenceOf(outcome.error)}`}.`);
  }
  const output = outcome.output ?? null;
  const fields = isJsonObject(output) ? output : {};
  const finish = fields['finishReason'] ?? fields['finish_reason'];
  const usage = usageOf(fields['usage']);
  return {
    content: contentOf(output),
    finishReason: typeof finish === 'string' ? finish : 'stop',
    ...(typeof fields['model'] === 'string' ? { model: fields['model'] } : {}),
    ...(usage && { usage }),
  };
}

/** The completion that an outcome stands for. @throws as `chatAnswer`. */
export async function chatCompletion(accepted: Accepted, model: string, outcome: Outcome, usage: () => Promise<ChatUsage | undefined>): Promise<object> {
  const answer = chatAnswer(accepted, outcome);
  const used = answer.usage ?? (await usage());
  return {
    id: `chatcmpl-${accepted.executionId}`,
    object: 'chat.completion',
    created: Math.floor(accepted.acceptedAtMs / 1000),
    model: answer.model ?? model,
    choices: [{ index: 0, message: { role: 'assistant', content: answer.content, refusal: null }, logprobs: null, finish_reason: answer.finishReason }],
    ...(used && { usage: used }),
  };
}

/** Tokens of all model answers of an execution together, each counted once: what was spent on answers that were of no use is the operator's. */
export function usageIn({ entries }: Timeline): ChatUsage | undefined {
  let found: ChatUsage | undefined;
  for (const { detailJson } of entries) {
    const detail = detailJson.includes('"usage"') ? (JSON.parse(detailJson) as Json) : null;
    const evidence = isJsonObject(detail) ? detail['evidence'] : undefined;
    const usage = isJsonObject(evidence) ? usageOf(evidence['usage']) : undefined;
    if (!usage) continue;
    const [prompt_tokens, completion_tokens] = [(found?.prompt_tokens ?? 0) + usage.prompt_tokens, (found?.completion_tokens ?? 0) + usage.completion_tokens];
    found = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  }
  return found;
}

function contentOf(output: Json): string {
  const content = isJsonObject(output) ? output['content'] : undefined;
  if (typeof content === 'string') return content;
  return typeof output === 'string' ? output : JSON.stringify(content ?? output);
}

/** Token counts, under OpenAI's names or our own; nothing when there are none. */
function usageOf(usage: Json | undefined): ChatUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const count = (...names: readonly string[]): number => Number(names.map((name) => usage[name]).find((value) => typeof value === 'number') ?? 0);
  const [prompt, completion] = [count('prompt_tokens', 'inputTokens'), count('completion_tokens', 'outputTokens')];
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: count('total_tokens', 'totalTokens') || prompt + completion };
}

function sentenceOf(error: Json | undefined): string {
  if (!isJsonObject(error)) return 'no reason was recorded';
  const text = error['detail'] ?? error['title'] ?? error['message'];
  return typeof text === 'string' ? text.replace(/\.$/, '') : JSON.stringify(error);
}
