// An agent goes on from what its history says: calls of the turn at hand, an end, a limit, or the next turn.
import { invariant, isJsonObject, rejection, type Json, type JsonObject } from '@weft/kernel';
import { canonicalJson, schemaProblem } from '@weft/workflow';
import { callLimitReached, limitReached, speakerOf, type LimitReached } from '../agent/agent-authority.js';
import { circleIn } from '../agent/agent-circle.js';
import { givenOf, readAgent, type AgentGiven, type OtherAgent } from '../agent/agent-given.js';
import { answerIn, FINAL_ANSWER, meaningOf, type CallMeaning } from '../agent/agent-tools.js';
import { answerOf, compactionUntil, partKey } from '../agent/agent-transcript.js';
import type { AgentCall, TurnPurpose } from '../agent/agent.events.js';
import type { AgentState, AgentTurn, AskedCall } from '../agent/agent.state.js';
import type { ActivationKey } from '../execution/execution.events.js';
import type { Task } from '../program/program.js';
import { askedReview, type AskedReview } from '../review/review.ask.js';
import { scheduleJob } from './schedule-job.js';
import { errorJson, errorOfFailure, type WorkflowError } from '../program/workflow-error.js';
import type { Advance, RaiseWait, Step } from './advance.js';

export type AgentTask = Extract<Task, { kind: 'agent' }>;

/**
 * Begins an agent, or takes it up where it stood in an earlier attempt of its task: asked the same, it goes on with the turns that
 * it has, and what it has answered it answers again.
 */
export function runAgent(advance: Advance, task: AgentTask, key: ActivationKey, input: Json): Step {
  const given = advance.evaluate(task.arguments, input, { task, key, taskInput: input });
  const reading = readAgent(given, task.name);
  if (!reading.ok) return { go: 'raise', key, error: errorOfFailure(reading.failure, task.pointer) };
  const known = advance.state.agents?.[key];
  if (known && canonicalJson(known.given) === canonicalJson(given)) {
    if (known.answered) return { go: 'complete', key, output: known.answered.output };
    advance.record({ type: 'AgentResumed', key, at: advance.context.now });
    setTimeLimit(advance, key);
  } else begin(advance, key, reading.name, given, (known?.beginning ?? 0) + 1);
  return goOnAgent(advance, key);
}

function begin(advance: Advance, key: ActivationKey, name: string, given: Json, beginning: number, within?: AgentCall): void {
  advance.record({ type: 'AgentBegun', key, name, beginning, at: advance.context.now, given, ...(within ? { within } : {}) });
  setTimeLimit(advance, key);
}

function setTimeLimit(advance: Advance, key: ActivationKey): void {
  const { timeMs } = givenOf(agentAt(advance, key).given).limits;
  if (timeMs !== undefined) advance.record({ type: 'TimerSet', key, timer: advance.timerId(key), purpose: 'limit', due: advance.context.now + timeMs });
}

/** Whatever it waited for has come, or its turn has failed: everything that follows at once. It may be told twice. */
export function goOnAgent(advance: Advance, key: ActivationKey, error?: WorkflowError, wait: RaiseWait = {}): Step {
  if (error) return failAgent(advance, key, error, wait);
  for (;;) {
    const agent = agentAt(advance, key);
    const given = givenOf(agent.given);
    if (isTurnUnderWay(advance, agent)) return undefined;
    const turn = agent.turns.at(-1);
    const outcome = turn && !isSettled(turn) ? carryOutCalls(advance, agent, given, turn) : goToNextTurn(advance, agent, given, turn);
    if (outcome === 'waits') return undefined;
    if (outcome !== 'again') return outcome;
  }
}

/** What follows from a look at an agent. */
type Outcome = Step | 'again' | 'waits';

/** The time of an agent is over. */
export function endOfTime(advance: Advance, key: ActivationKey): Step {
  const { timeMs = 0 } = givenOf(agentAt(advance, key).given).limits;
  return { go: 'agent', key, error: limited(advance, key, { limit: 'time', used: timeMs, allowed: timeMs }) };
}

function carryOutCalls(advance: Advance, { key }: AgentState, given: AgentGiven, { turn, answer }: AgentTurn): Outcome {
  const { calls } = answerOf(answer);
  const isOpen = (call: number): boolean => advance.state.activations[callKey(advance, key, turn, call)] !== undefined;
  let open = calls.filter((_call, at) => isOpen(at + 1)).length;
  for (const [at, asked] of calls.entries()) {
    const call: AgentCall = { agent: key, turn, call: at + 1 };
    if (resultOf(advance, call) || isOpen(call.call)) continue;
    const { speaker } = agentAt(advance, key);
    const meaning = meaningOf(given, speakerOf(advance.state, key).tools, speaker, asked.name);
    const refusal = refusalOf(advance, call, asked, meaning, calls.length);
    if (refusal) {
      advance.record({ type: 'CallRefused', ...call, ...refusal });
      continue;
    }
    if (open >= given.parallel) return 'waits';
    const ended = beginCall(advance, call, asked, meaning, given);
    if (ended) return endAgent(advance, key, turn, call.call);
    if (isOpen(call.call)) open++;
  }
  return isSettled(agentAt(advance, key).turns.at(-1)!) ? 'again' : 'waits';
}

/** Why nobody carries out a call. */
function refusalOf(
  advance: Advance,
  { agent }: AgentCall,
  { name, arguments: given }: AskedCall,
  meaning: CallMeaning,
  callsOfTurn: number,
): { readonly code: string; readonly reason: string } | undefined {
  const { lastAfter } = agentAt(advance, agent);
  if (meaning.kind === 'unknown') return { code: 'denied', reason: `There is no tool ${JSON.stringify(name.slice(0, 200))} that this agent may call.` };
  if (!isJsonObject(given)) return { code: 'input-invalid', reason: 'Expected the arguments to be a JSON object.' };
  if ((meaning.kind === 'answer' || meaning.kind === 'handOver') && callsOfTurn > 1)
    return { code: 'input-invalid', reason: `Expected ${name} to be called alone, after the results of all other calls.` };
  if (meaning.kind === 'answer') return undefined;
  if (lastAfter !== undefined) return { code: 'agent-limit', reason: 'A limit was reached: no tool can be called any more.' };
  const reached = callLimitReached(advance.state, agent);
  return reached && { code: 'agent-limit', reason: `The limit of ${reached.allowed} calls was reached: no tool can be called any more.` };
}

/** @returns whether the call was the final answer, and fits. */
function beginCall(advance: Advance, call: AgentCall, asked: AskedCall, meaning: CallMeaning, given: AgentGiven): boolean {
  const { agent, turn } = call;
  switch (meaning.kind) {
    case 'answer': {
      const problem = schemaProblem(given.schema!, answerIn(given.schema!, asked.arguments));
      if (problem !== undefined) advance.record({ type: 'AnswerRefused', agent, turn, call: call.call, problem });
      return problem === undefined;
    }
    case 'handOver':
      advance.record({ type: 'AgentHandedOver', ...call, to: meaning.to, name: meaning.agent.name });
      return false;
    case 'agent':
      askAgent(advance, enterCall(advance, call, asked.name), call, asked, meaning.agent);
      return false;
    case 'person': {
      const review = askedReview(meaning.person.review, `Agent ${speakerOf(advance.state, agent).name} asks a person`, advance.context.now);
      if (typeof review === 'string') advance.record({ type: 'CallRefused', ...call, code: 'input-invalid', reason: review });
      else askPerson(advance, agent, enterCall(advance, call, asked.name), asked, review);
      return false;
    }
    case 'tool':
      scheduleJob(advance, enterCall(advance, call, asked.name), 'tool');
      return false;
    case 'unknown':
      return false;
  }
}

function enterCall(advance: Advance, call: AgentCall, tool: string): ActivationKey {
  const key = callKey(advance, call.agent, call.turn, call.call);
  advance.record({ type: 'CallBegun', key, ...call, tool, at: advance.context.now });
  return key;
}

/** Another agent answers the call: begun with the message, or taken up where it stood. */
function askAgent(advance: Advance, key: ActivationKey, within: AgentCall, asked: AskedCall, other: OtherAgent): void {
  const message = (asked.arguments as JsonObject)['message'];
  if (advance.state.agents?.[key]) {
    advance.record({ type: 'AgentResumed', key, at: advance.context.now });
    setTimeLimit(advance, key);
  } else {
    const { name: _name, description: _description, ...own } = other.given;
    begin(advance, key, other.name, { ...own, prompt: message ?? asked.arguments }, 1, within);
  }
  // Whatever follows from its end is looked at by whoever asked.
  goOnAgent(advance, key);
}

function askPerson(advance: Advance, agent: ActivationKey, key: ActivationKey, { arguments: said }: AskedCall, { terms, title, form }: AskedReview): void {
  const more = { ...(terms ? { terms } : {}), ...(form === undefined ? {} : { form }) };
  advance.record({ type: 'ReviewRequested', key, review: advance.reviewId(), kind: 'approval', at: advance.context.now, title, subject: { agent, ...(said as JsonObject) }, ...more });
}

function goToNextTurn(advance: Advance, agent: AgentState, given: AgentGiven, last: AgentTurn | undefined): Outcome {
  const { key } = agent;
  const said = last && answerOf(last.answer);
  if (said?.calls.length === 0 && last!.note === undefined) {
    if (!given.schema && said.content !== null && said.content !== '') return endAgent(advance, key, last!.turn);
    const problem = given.schema ? `Expected the answer by a call of ${FINAL_ANSWER}.` : 'Expected an answer or a call of a tool but there was neither.';
    advance.record({ type: 'AnswerRefused', agent: key, turn: last!.turn, problem });
    return 'again';
  }
  if (agent.repairs > given.repairs)
    return failAgent(advance, key, failureAt(advance, key, 'output-invalid', `Expected an answer of agent ${agent.name} that fits but refused ${agent.repairs} in turn.`));
  const reached = limitOf(advance, agent, given, last);
  if (reached) {
    const isOver = given.onLimit === 'fail' || agent.lastAfter !== undefined;
    const error = limited(advance, key, reached, isOver ? 'fail' : 'answer');
    return isOver ? failAgent(advance, key, error) : 'again';
  }
  beginTurn(advance, agent, given);
  return 'waits';
}

function limitOf(advance: Advance, agent: AgentState, given: AgentGiven, last: AgentTurn | undefined): LimitReached | undefined {
  // The last turn is granted once, whatever else is used up.
  if (agent.lastAfter !== undefined) return agent.taken > agent.lastAfter ? { limit: 'turns', used: agent.taken, allowed: agent.lastAfter } : undefined;
  const reached = limitReached(advance.state, agent.key);
  if (reached) return reached;
  const isRefused = Object.values(last?.results ?? {}).some((result) => 'error' in result && result.error.code === 'agent-limit');
  const calls = isRefused ? callLimitReached(advance.state, agent.key) : undefined;
  if (calls) return calls;
  const circle = circleIn(agent.turns, given.limits.repeats);
  return circle && { limit: 'repeats', used: circle.times, allowed: given.limits.repeats - 1 };
}

function beginTurn(advance: Advance, agent: AgentState, given: AgentGiven): void {
  const until = compactionUntil(agent, given);
  const isCompaction = until !== undefined;
  const turn = (isCompaction ? agent.compactions : agent.taken) + 1;
  const purpose: TurnPurpose = isCompaction ? 'compaction' : agent.lastAfter === undefined ? 'turn' : 'last';
  const key = isCompaction ? compactionKey(advance, agent.key, turn) : turnKey(advance, agent.key, turn);
  advance.record({ type: 'TurnBegun', key, agent: agent.key, turn, purpose, ...(isCompaction ? { until } : {}), at: advance.context.now });
  scheduleJob(advance, key, 'infer');
}

function endAgent(advance: Advance, key: ActivationKey, turn: number, call?: number): Step {
  const { within } = agentAt(advance, key);
  advance.record({ type: 'AgentEnded', key, turn, ...(call === undefined ? {} : { call }), ...(!within && mayBeAskedAgain(advance, key) ? { isKept: true } : {}) });
  return within ? { go: 'agent', key: within.agent } : { go: 'complete', key, output: advance.activation(key).value };
}

/** The task of an agent fails with it; an agent that was asked by another one tells that one. */
function failAgent(advance: Advance, key: ActivationKey, error: WorkflowError, wait: RaiseWait = {}): Step {
  const { within } = agentAt(advance, key);
  if (!within) return { go: 'raise', key, error, ...(wait.notBefore === undefined ? {} : { notBefore: wait.notBefore }) };
  advance.record({ type: 'AgentEnded', key, error: errorJson(error) });
  return { go: 'agent', key: within.agent };
}

function limited(advance: Advance, key: ActivationKey, { limit, used, allowed }: LimitReached, next: 'fail' | 'answer' = 'fail'): WorkflowError {
  advance.record({ type: 'AgentLimited', agent: key, limit, used, allowed, next });
  const what = { turns: 'turns', calls: 'calls', tokens: 'tokens', money: 'millionths of money', time: 'milliseconds', repeats: 'repetitions of the same turns' }[limit];
  return failureAt(advance, key, 'agent-limit', `Expected agent ${agentAt(advance, key).name} to answer within ${allowed} ${what} but it used ${used}.`);
}

/** A surrounding `try` may run the task once more: its effects are not done twice then. */
function mayBeAskedAgain(advance: Advance, key: ActivationKey): boolean {
  for (let at = advance.activation(key).parent; at !== undefined; at = advance.activation(at).parent) {
    const task = advance.program.tasks.get(advance.pointerOf(at));
    if (task?.kind === 'try' && task.catch.retry) return true;
  }
  return false;
}

const failureAt = (advance: Advance, key: ActivationKey, code: string, message: string): WorkflowError => errorOfFailure(rejection(code, message), advance.pointerOf(key));

function isTurnUnderWay(advance: Advance, { key, taken, compactions }: AgentState): boolean {
  const { activations } = advance.state;
  return activations[turnKey(advance, key, taken + 1)] !== undefined || activations[compactionKey(advance, key, compactions + 1)] !== undefined;
}

const isSettled = ({ answer, results }: AgentTurn): boolean => answerOf(answer).calls.every((_call, at) => results[at + 1] !== undefined);

const resultOf = (advance: Advance, { agent, turn, call }: AgentCall): unknown => agentAt(advance, agent).turns.find((each) => each.turn === turn)?.results[call];

const turnKey = (advance: Advance, key: ActivationKey, turn: number): ActivationKey => partOf(advance, key, `turn:${turn}`);
const callKey = (advance: Advance, key: ActivationKey, turn: number, call: number): ActivationKey => partOf(advance, key, `turn:${turn},call:${call}`);
const compactionKey = (advance: Advance, key: ActivationKey, compaction: number): ActivationKey => partOf(advance, key, `compaction:${compaction}`);

function partOf(advance: Advance, key: ActivationKey, part: string): ActivationKey {
  const { pointer, iteration } = advance.activation(key);
  return partKey(pointer, iteration, agentAt(advance, key).beginning, part);
}

function agentAt(advance: Advance, key: ActivationKey): AgentState {
  const found = advance.state.agents?.[key];
  invariant(found, `no agent ${key}`);
  return found;
}
