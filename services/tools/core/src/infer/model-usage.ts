// What a model call has used: what the provider says, where that can be, and an estimate where it cannot.
import type { InferMessage } from './infer-messages.js';
import type { ToolForModel } from './tool-offer.js';

/** Tokens and money of a call. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Millionths of the deployment's currency; 0 where no price is known. */
  readonly moneyMicros: number;
  /** Counted here, because the provider said nothing or something that cannot be. */
  readonly estimated: boolean;
}

/** Tokens as a provider reports them; undefined where it does not. */
export interface ReportedTokens {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

/** Per million tokens, which is millionths per token. */
export interface ModelPriceFacts {
  readonly input: number;
  readonly output: number;
}

const TOKENS_PER_MESSAGE = 4;

/** Tokens of a text, at about four bytes each: near enough for budgets, for any script. */
export function estimateTokens(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) bytes += text.charCodeAt(at) < 0x80 ? 1 : text.charCodeAt(at) < 0x800 ? 2 : 3;
  return Math.ceil(bytes / 4);
}

/** Tokens of a request: its messages and the tools it offers. */
export function estimateInputTokens(messages: readonly InferMessage[], tools: readonly ToolForModel[]): number {
  const said = messages.reduce(
    (sum, message) => sum + TOKENS_PER_MESSAGE + estimateTokens(message.content) + (message.role === 'assistant' && message.toolCalls ? estimateTokens(JSON.stringify(message.toolCalls)) : 0),
    0,
  );
  return tools.reduce((sum, { name, description, input }) => sum + estimateTokens(name + description + JSON.stringify(input)), said);
}

// Tokenizers differ by a factor of a few, and hidden reasoning counts as output: only what cannot be is called a lie.
const FEWER_AT_MOST = 12;
const MORE_INPUT_AT_MOST = 12;
const MORE_OUTPUT_AT_MOST = 200;
const SLACK_TOKENS = 4_000;

/** @param counted what was counted here. @returns what to account for, and why the provider's word was not taken, if so. */
export function usageOf(
  reported: ReportedTokens | undefined,
  counted: { readonly inputTokens: number; readonly outputTokens: number },
  price: ModelPriceFacts | undefined,
): ModelUsage & { readonly doubt?: string } {
  const input = trusted('input', reported?.inputTokens, counted.inputTokens, MORE_INPUT_AT_MOST);
  const output = trusted('output', reported?.outputTokens, counted.outputTokens, MORE_OUTPUT_AT_MOST);
  const doubt = input.doubt ?? output.doubt;
  return {
    inputTokens: input.tokens,
    outputTokens: output.tokens,
    moneyMicros: moneyOf(input.tokens, output.tokens, price),
    estimated: doubt !== undefined,
    ...(doubt === undefined ? {} : { doubt }),
  };
}

/** Money for tokens, in millionths, rounded up: a cap is never passed by rounding. */
export const moneyOf = (inputTokens: number, outputTokens: number, price: ModelPriceFacts | undefined): number =>
  price ? Math.ceil(Number((inputTokens * price.input + outputTokens * price.output).toFixed(6))) : 0;

function trusted(what: string, said: number | undefined, counted: number, moreAtMost: number): { readonly tokens: number; readonly doubt?: string } {
  if (said === undefined) return { tokens: counted, doubt: `no ${what} tokens were reported` };
  const isPossible = Number.isInteger(said) && said >= Math.max(Math.min(1, counted), Math.floor(counted / FEWER_AT_MOST)) && said <= counted * moreAtMost + SLACK_TOKENS;
  return isPossible ? { tokens: said } : { tokens: counted, doubt: `${said} ${what} tokens were reported where about ${counted} were counted` };
}

export const NO_USAGE: ModelUsage = { inputTokens: 0, outputTokens: 0, moneyMicros: 0, estimated: false };

export const addUsage = (a: ModelUsage, b: ModelUsage): ModelUsage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  moneyMicros: a.moneyMicros + b.moneyMicros,
  estimated: a.estimated || b.estimated,
});
