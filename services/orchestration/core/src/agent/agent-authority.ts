// What an agent may do: never more than whoever asked it, and what is left of every limit above it.
import type { ActivationKey } from '../execution/execution.events.js';
import type { ExecutionState } from '../execution/execution.state.js';
import { givenOf, type AgentGiven } from './agent-given.js';
import { narrowedTools } from './agent-tools.js';
import type { AgentLimit } from './agent.events.js';
import type { AgentState } from './agent.state.js';

export interface Speaker {
  readonly name: string;
  readonly instructions: string;
  /** Tools that it may call at most, as names and patterns. */
  readonly tools: readonly string[];
}

/** Whoever speaks in an agent now: itself, or whom it handed over to. */
export function speakerOf(state: ExecutionState, key: ActivationKey): Speaker {
  const agent = state.agents![key]!;
  const given = givenOf(agent.given);
  const outer = agent.within ? speakerOf(state, agent.within.agent).tools : undefined;
  const own = outer ? narrowedTools(outer, given.tools) : given.tools;
  const option = agent.speaker === undefined ? undefined : given.handOff[agent.speaker];
  if (!option || !('agent' in option)) return { name: agent.name, instructions: given.instructions, tools: own };
  return { name: option.agent.name, instructions: option.agent.instructions, tools: narrowedTools(own, option.agent.tools) };
}

/** What is left to an agent and to every agent above it, the least of each; undefined where nothing limits it. */
export interface Remaining {
  readonly moneyMicros?: number;
  readonly tokens?: number;
  readonly calls: number;
}

export function remainingOf(state: ExecutionState, key: ActivationKey): Remaining {
  const levels = levelsOf(state, key).map(({ agent, given }) => ({ agent, limits: given.limits }));
  const least = (left: (level: (typeof levels)[number]) => number | undefined): number | undefined => {
    const values = levels.flatMap((level) => left(level) ?? []);
    return values.length === 0 ? undefined : Math.max(0, Math.min(...values));
  };
  const money = least(({ agent, limits }) => limits.moneyMicros && limits.moneyMicros - agent.usage.moneyMicros);
  const tokens = least(({ agent, limits }) => limits.tokens && limits.tokens - agent.usage.inputTokens - agent.usage.outputTokens);
  return { calls: least(({ agent, limits }) => limits.calls - agent.calls) ?? 0, ...(money === undefined ? {} : { moneyMicros: money }), ...(tokens === undefined ? {} : { tokens }) };
}

export interface LimitReached {
  readonly limit: AgentLimit;
  readonly used: number;
  readonly allowed: number;
}

/** The limit that keeps an agent from taking another turn: its own, or one of an agent above it. */
export function limitReached(state: ExecutionState, key: ActivationKey): LimitReached | undefined {
  for (const { agent, given, isOwn } of levelsOf(state, key)) {
    const { limits } = given;
    if (isOwn && agent.taken >= limits.turns) return { limit: 'turns', used: agent.taken, allowed: limits.turns };
    const tokens = agent.usage.inputTokens + agent.usage.outputTokens;
    if (limits.tokens !== undefined && tokens >= limits.tokens) return { limit: 'tokens', used: tokens, allowed: limits.tokens };
    if (limits.moneyMicros !== undefined && agent.usage.moneyMicros >= limits.moneyMicros) return { limit: 'money', used: agent.usage.moneyMicros, allowed: limits.moneyMicros };
  }
  return undefined;
}

/** The limit that keeps an agent from making another call. */
export function callLimitReached(state: ExecutionState, key: ActivationKey): LimitReached | undefined {
  for (const { agent, given } of levelsOf(state, key)) if (agent.calls >= given.limits.calls) return { limit: 'calls', used: agent.calls, allowed: given.limits.calls };
  return undefined;
}

function levelsOf(state: ExecutionState, key: ActivationKey): readonly { readonly agent: AgentState; readonly given: AgentGiven; readonly isOwn: boolean }[] {
  const levels = [];
  for (let at: ActivationKey | undefined = key; at !== undefined;) {
    const agent: AgentState = state.agents![at]!;
    levels.push({ agent, given: givenOf(agent.given), isOwn: at === key });
    at = agent.within?.agent;
  }
  return levels;
}
