// An execution's outcome in the shape of OpenAI's chat completion.
import type { Accepted } from '@weft/contracts';
import { isJsonObject, refuse, type Json } from '@weft/kernel';
import type { Outcome } from './result-waiter.js';

/**
 * The completion that an outcome stands for. Its text is the output's field `content`, or the output itself when it is text, or
 * the output as JSON. @throws Refused `workflow-failed` when the execution did not complete.
 */
export function chatCompletion(accepted: Accepted, model: string, outcome: Outcome): object {
  if (outcome.status !== 'completed') {
    refuse('workflow-failed', `Expected execution ${accepted.executionId} to complete but it ${outcome.status === 'cancelled' ? 'was cancelled' : `${outcome.status}: ${sentenceOf(outcome.error)}`}.`);
  }
  const output = outcome.output ?? null;
  const fields = isJsonObject(output) ? output : {};
  const finish = fields['finishReason'] ?? fields['finish_reason'];
  return {
    id: `chatcmpl-${accepted.executionId}`,
    object: 'chat.completion',
    created: Math.floor(accepted.acceptedAtMs / 1000),
    model: typeof fields['model'] === 'string' ? fields['model'] : model,
    choices: [{ index: 0, message: { role: 'assistant', content: contentOf(output), refusal: null }, logprobs: null, finish_reason: typeof finish === 'string' ? finish : 'stop' }],
    ...usageOf(fields['usage']),
  };
}

function contentOf(output: Json): string {
  const content = isJsonObject(output) ? output['content'] : undefined;
  if (typeof content === 'string') return content;
  return typeof output === 'string' ? output : JSON.stringify(content ?? output);
}

/** Token counts, under OpenAI's names or our own; nothing when the output carries none. */
function usageOf(usage: Json | undefined): object {
  if (!isJsonObject(usage)) return {};
  const count = (...names: readonly string[]): number => Number(names.map((name) => usage[name]).find((value) => typeof value === 'number') ?? 0);
  const [prompt, completion] = [count('prompt_tokens', 'inputTokens'), count('completion_tokens', 'outputTokens')];
  return { usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: count('total_tokens', 'totalTokens') || prompt + completion } };
}

function sentenceOf(error: Json | undefined): string {
  if (!isJsonObject(error)) return 'no reason was recorded';
  const text = error['detail'] ?? error['title'] ?? error['message'];
  return typeof text === 'string' ? text.replace(/\.$/, '') : JSON.stringify(error);
}
