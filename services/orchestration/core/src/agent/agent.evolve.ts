// What agents' events change. Folding takes what a model said as it stands: it never asks what it means.
import { assertNever, invariant, isJsonObject, type Json } from '@weft/kernel';
import type { ExecutionDraft } from '../execution/execution.draft.js';
import type { ActivationKey, ExecutionEvent, JobUsage } from '../execution/execution.events.js';
import { removeBelow } from '../execution/remove-below.js';
import type { AgentCall, AgentEvent } from './agent.events.js';
import type { AgentState, AgentStep, AgentTurn, CallResult } from './agent.state.js';
import { answerIn } from './agent-tools.js';
import { answerOf } from './agent-transcript.js';

const NOTHING_USED: AgentState['usage'] = { inputTokens: 0, outputTokens: 0, moneyMicros: 0 };

export function evolveAgent(draft: ExecutionDraft, event: AgentEvent): void {
  switch (event.type) {
    case 'AgentBegun': {
      const { key, name, beginning, at: begunAt, given, within } = event;
      // What agents that an earlier beginning asked had come to is of no use any more.
      draft.removeWhere('agents', (asked) => asked.within?.agent === key);
      return draft.put('agents', key, { key, name, beginning, begunAt, given, taken: 0, compactions: 0, turns: [], calls: 0, usage: NOTHING_USED, repairs: 0, ...(within ? { within } : {}) });
    }
    case 'AgentResumed':
      draft.removeWhere('timers', ({ key }) => key === event.key);
      return change(draft, event.key, { repairs: 0 });
    case 'TurnBegun': {
      const { agent, turn, purpose, until } = event;
      return beginStep(draft, event.key, event.at, { agent, turn, purpose, ...(until === undefined ? {} : { until }) });
    }
    case 'CallBegun': {
      const { agent, turn, call } = event;
      count(draft, event);
      return beginStep(draft, event.key, event.at, { agent, turn, call });
    }
    case 'CallRefused':
      count(draft, event);
      return takeResult(draft, event, { error: { code: event.code, message: wordsOf(event.reason) } });
    case 'AnswerRefused': {
      const { agent, turn, call, problem } = event;
      change(draft, agent, { repairs: agentOf(draft, agent).repairs + 1 });
      if (call !== undefined) return takeResult(draft, { agent, turn, call }, { error: { code: 'output-invalid', message: wordsOf(problem) } });
      return changeTurn(draft, agent, turn, () => ({ note: problem }));
    }
    case 'AgentLimited':
      return event.next === 'answer' ? change(draft, event.agent, { lastAfter: agentOf(draft, event.agent).taken }) : undefined;
    case 'AgentHandedOver':
      takeResult(draft, event, { output: `${event.name} goes on with the conversation.` });
      return change(draft, event.agent, { speaker: event.to });
    case 'AgentEnded':
      return endAgent(draft, event);
    default:
      return assertNever(event, 'agent event');
  }
}

/** A turn or a call of an agent has come to something. */
export function endStep(draft: ExecutionDraft, step: AgentStep, event: Extract<ExecutionEvent, { type: 'JobCompleted' | 'JobFailed' }>): void {
  removeBelow(draft, event.key, true);
  use(draft, step.agent, event.usage);
  const agent = agentOf(draft, step.agent);
  if (step.call !== undefined) return takeResult(draft, { agent: step.agent, turn: step.turn, call: step.call }, resultOf(event));
  // What an agent's turn fails with fails the agent.
  if (event.type === 'JobFailed') return;
  if (step.purpose === 'compaction')
    return change(draft, step.agent, { summary: answerOf(event.output).content ?? '', compactions: agent.compactions + 1, turns: agent.turns.filter(({ turn }) => turn > (step.until ?? 0)) });
  change(draft, step.agent, { taken: agent.taken + 1, turns: [...agent.turns, { turn: step.turn, answer: event.output, results: {}, begun: 0 }] });
}

/** A person's answer to a call. */
export function takeAnswer(draft: ExecutionDraft, key: ActivationKey, step: AgentStep, answer: Json): void {
  removeBelow(draft, key, true);
  takeResult(draft, { agent: step.agent, turn: step.turn, call: step.call! }, { output: answer });
}

function resultOf(event: Extract<ExecutionEvent, { type: 'JobCompleted' | 'JobFailed' }>): CallResult {
  if (event.type === 'JobCompleted') return { output: event.output };
  const { failure } = event;
  return { error: { code: event.code, message: wordsOf(isJsonObject(failure) ? (failure['message'] ?? '') : '') } };
}

function endAgent(draft: ExecutionDraft, { key, turn, call, error, isKept }: Extract<AgentEvent, { type: 'AgentEnded' }>): void {
  const agent = agentOf(draft, key);
  const said = agent.turns.find((each) => each.turn === turn);
  const answer = said ? answerOf(said.answer) : undefined;
  const schema = isJsonObject(agent.given) ? agent.given['schema'] : undefined;
  const output = call === undefined ? (answer?.content ?? '') : answerIn(isJsonObject(schema) ? schema : {}, answer?.calls[call - 1]?.arguments ?? null);
  draft.removeWhere('timers', (timer) => timer.key === key);
  const { within } = agent;
  if (within) {
    removeBelow(draft, key, true);
    draft.remove('agents', key);
    return takeResult(draft, within, error === undefined ? { output } : { error: errorOf(error) });
  }
  draft.change(key, { value: output });
  if (isKept) change(draft, key, { turns: [], answered: { output } });
  else draft.remove('agents', key);
}

function errorOf(error: Json): { readonly code: string; readonly message: string } {
  const fields = isJsonObject(error) ? error : {};
  return { code: wordsOf(fields['title'] ?? 'failed'), message: wordsOf(fields['detail'] ?? '') };
}

/** Where a step is: the agent's own place, and what part of it. */
function beginStep(draft: ExecutionDraft, key: ActivationKey, at: number, step: AgentStep): void {
  const { pointer } = draft.activation(step.agent);
  draft.put('activations', key, { key, pointer, iteration: key.slice(pointer.length + 1), parent: step.agent, enteredAt: at, rawInput: null, input: null, value: null, visits: {}, attempt: 1, step });
  draft.set({ entered: draft.state.entered + 1 });
}

/** Counts a call once for its agent and for every agent above it: begun anew after a failure it is the same call. */
function count(draft: ExecutionDraft, { agent, turn, call }: AgentCall): void {
  const asked = agentOf(draft, agent).turns.find((each) => each.turn === turn);
  if (!asked || asked.begun >= call) return;
  changeTurn(draft, agent, turn, () => ({ begun: call }));
  eachLevel(draft, agent, (level) => ({ calls: level.calls + 1 }));
}

function use(draft: ExecutionDraft, agent: ActivationKey, used: JobUsage | undefined): void {
  if (!used) return;
  eachLevel(draft, agent, ({ usage }) => ({
    usage: { inputTokens: usage.inputTokens + used.inputTokens, outputTokens: usage.outputTokens + used.outputTokens, moneyMicros: usage.moneyMicros + used.moneyMicros },
  }));
}

function eachLevel(draft: ExecutionDraft, from: ActivationKey, changed: (level: AgentState) => Partial<AgentState>): void {
  for (let at: ActivationKey | undefined = from; at !== undefined; at = agentOf(draft, at).within?.agent) change(draft, at, changed(agentOf(draft, at)));
}

const takeResult = (draft: ExecutionDraft, { agent, turn, call }: AgentCall, result: CallResult): void =>
  changeTurn(draft, agent, turn, ({ results }) => ({ results: { ...results, [call]: result } }));

function changeTurn(draft: ExecutionDraft, agent: ActivationKey, turn: number, changed: (turn: AgentTurn) => Partial<AgentTurn>): void {
  change(draft, agent, { turns: agentOf(draft, agent).turns.map((each) => (each.turn === turn ? { ...each, ...changed(each) } : each)) });
}

function agentOf(draft: ExecutionDraft, key: ActivationKey): AgentState {
  const found = draft.state.agents?.[key];
  invariant(found, `no agent ${key} in execution ${draft.state.executionId}`);
  return found;
}

const change = (draft: ExecutionDraft, key: ActivationKey, fields: Partial<AgentState>): void => draft.put('agents', key, { ...agentOf(draft, key), ...fields });

const wordsOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
