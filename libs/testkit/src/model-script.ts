import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';

/** What the simulated model says: plain data, as it stands in a JSON or YAML file. The first rule that matches and is not used up answers. */
export interface ModelScript {
  readonly rules: readonly ModelRule[];
}

/** What happens at one request. Without `answer` and `fault` it answers the content "ok". */
export interface ModelReply {
  /** Wait before anything is sent, in milliseconds; default 0. */
  readonly delayMs?: number;
  /** Wait before each piece of a streamed content, in milliseconds; default 0. */
  readonly pieceDelayMs?: number;
  readonly answer?: ModelAnswer;
  readonly fault?: ModelFault;
  /** What the answer says that it has used; the truth when absent. */
  readonly usage?: 'absent' | { readonly inputTokens: number; readonly outputTokens: number };
}

/** One rule: whom it matches, and what happens then. */
export interface ModelRule extends ModelReply {
  /** Name of the model; every model when absent. */
  readonly model?: string;
  /** Text, or texts that must all occur, in the messages of the request; case matters. Every request when absent. */
  readonly contains?: string | readonly string[];
  /** Text that must occur in the last message. */
  readonly lastContains?: string;
  /** How many messages of the assistant the request holds: 0 for the first turn of a conversation. */
  readonly turn?: number;
  /** Name of a tool that the request must offer. */
  readonly offers?: string;
  /** How often the rule is used before requests fall through to the next one; without limit when absent. */
  readonly times?: number;
}

/**
 * What the assistant's message holds. `json` is sent as its text, the way models send structured output. `fromRequest`: what stands in the request itself,
 * as `[[turns: [REPLY, ...]]]` in one of its messages, REPLY being like a rule without its conditions: the first for the first turn, and so on; the last one goes on.
 */
export type ModelAnswer = { readonly content: string } | { readonly json: Json } | { readonly toolCalls: readonly ModelToolCall[]; readonly content?: string } | { readonly fromRequest: true };

/** A call that the model asks for. */
export interface ModelToolCall {
  readonly name: string;
  readonly arguments: JsonObject;
  /** Instead of the arguments: a text as it stands, which need be no JSON. */
  readonly argumentsText?: string;
  /** Default: one of this server's own. */
  readonly id?: string;
}

/**
 * What goes wrong. `status`: an error answer, with `Retry-After` when seconds are given; `badJson`: status 200 and a body that does not parse;
 * `hang`: no byte is ever sent; `closeAfterBytes`: the connection is cut after so many bytes of the answer's body; `errorBody`: status 200 and an error in the body;
 * `endless`: the content begins anew for ever; `afterPieces`: so many pieces of a streamed content are sent, and `then` it happens (an answer that is not streamed gets half of its body).
 */
export type ModelFault =
  | { readonly status: number; readonly retryAfterSeconds?: number; readonly message?: string }
  | { readonly badJson: true }
  | { readonly hang: true }
  | { readonly closeAfterBytes: number }
  | { readonly errorBody: string }
  | { readonly endless: true }
  | { readonly afterPieces: number; readonly then: StreamBreak };

/** The connection is cut; a chunk does not parse and the stream goes on; nothing more is sent; the provider says that it failed. */
export type StreamBreak = 'cut' | 'bad-chunk' | 'stall' | 'error';

/** What a rule is matched against. */
export interface ModelSubject {
  readonly model: string;
  /** All text of the messages, joined by new lines. */
  readonly text: string;
  readonly lastText: string;
  readonly turn: number;
  /** Names of the tools that are offered. */
  readonly tools: readonly string[];
}

/** Finds the rule for a request and counts its use. */
export interface ModelRules {
  /** Answers the rule and its place in the script, or undefined when none matches. */
  readonly take: (subject: ModelSubject) => { readonly index: number; readonly rule: ModelRule } | undefined;
}

/** The rules of a script, each unused. */
export function modelRules(script: ModelScript): ModelRules {
  const uses = script.rules.map(() => 0);
  return {
    take: (subject) => {
      const index = script.rules.findIndex((rule, at) => uses[at]! < (rule.times ?? Infinity) && matches(rule, subject));
      const rule = script.rules[index];
      if (!rule) return undefined;
      uses[index]!++;
      return { index, rule };
    },
  };
}

function matches(rule: ModelRule, { model, text, lastText, turn, tools }: ModelSubject): boolean {
  if (rule.model !== undefined && rule.model !== model) return false;
  if (rule.turn !== undefined && rule.turn !== turn) return false;
  if (rule.offers !== undefined && !tools.includes(rule.offers)) return false;
  if (rule.lastContains !== undefined && !lastText.includes(rule.lastContains)) return false;
  const wanted = rule.contains === undefined ? [] : typeof rule.contains === 'string' ? [rule.contains] : rule.contains;
  return wanted.every((part) => text.includes(part));
}

const TURNS_START = '[[turns:';

/** The script that a request carries, written so that it can stand in any text. */
export const turnsInText = (turns: readonly ModelReply[]): string => `${TURNS_START}${JSON.stringify(turns)}]]`;

/** The reply that the text of a request holds for this turn, or a sentence that says why there is none. */
export function replyInText(text: string, turn: number): ModelReply | string {
  const start = text.indexOf(TURNS_START);
  if (start < 0) return `Expected [[turns: [...]]] in the messages, but there is none`;
  // The list ends where it parses: its own texts may hold brackets too.
  for (let end = text.indexOf(']]', start); end >= 0; end = text.indexOf(']]', end + 1)) {
    for (const part of [text.slice(start + TURNS_START.length, end), text.slice(start + TURNS_START.length, end + 1)]) {
      const turns = jsonOf(part);
      if (!Array.isArray(turns) || turns.length === 0) continue;
      const reply: Json = turns[Math.min(turn, turns.length - 1)] as Json;
      return isJsonObject(reply) ? (reply as ModelReply) : `Expected a reply at turn ${turn}, but it is no object`;
    }
  }
  return 'Expected [[turns: [...]]] to hold a list in JSON, but it does not parse';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
