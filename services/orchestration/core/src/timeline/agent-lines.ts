// What agents did, in sentences.
import { assertNever, type Json } from '@weft/kernel';
import { remainingOf } from '../agent/agent-authority.js';
import { givenOf } from '../agent/agent-given.js';
import type { AgentEvent } from '../agent/agent.events.js';
import { ExecutionDraft } from '../execution/execution.draft.js';
import type { ExecutionEvent } from '../execution/execution.events.js';
import { evolveDraft } from '../execution/execution.evolve.js';
import { initialExecution } from '../execution/execution.state.js';

const PART = /(?:^|[#,])((?:beginning:\d+|turn:\d+|call:\d+|compaction:\d+)(?:,(?:turn:\d+|call:\d+|compaction:\d+))*)$/;

/** Which part of an agent an event is about. */
export function partOf(event: ExecutionEvent): string {
  const key = 'key' in event ? event.key : 'agent' in event ? event.agent : '';
  const inside = PART.exec(key)?.[1] ?? '';
  const own = event.type === 'CallRefused' || event.type === 'AgentHandedOver' ? [`turn:${event.turn}`, `call:${event.call}`] : event.type === 'AnswerRefused' ? [`turn:${event.turn}`] : [];
  return [...(inside === '' ? [] : inside.split(',')), ...own].map((part) => part.replace(':', ' ')).join(', ');
}

type TurnBegun = Extract<AgentEvent, { type: 'TurnBegun' }>;

/** What was left of an agent's limits when each turn began. */
export function limitsLeft(rows: readonly { readonly events: readonly ExecutionEvent[] }[]): (turn: TurnBegun) => Json {
  const left = new Map<TurnBegun, Json>();
  const events = rows.flatMap((row) => row.events);
  // Most executions have no agent, and a part of a history cannot be folded.
  if (events[0]?.type !== 'ExecutionStarted' || !events.some(({ type }) => type === 'AgentBegun')) return () => null;
  const draft = new ExecutionDraft(initialExecution);
  for (const event of events) {
    evolveDraft(draft, event);
    if (event.type !== 'TurnBegun') continue;
    const agent = draft.state.agents![event.agent]!;
    left.set(event, { turns: givenOf(agent.given).limits.turns - agent.taken, ...remainingOf(draft.state, event.agent) });
  }
  return (turn) => left.get(turn) ?? null;
}

export function describeAgent(event: AgentEvent): { readonly text: string; readonly detail?: Json } {
  switch (event.type) {
    case 'AgentBegun': {
      const again = event.beginning === 1 ? '' : ' anew, asked something else';
      return { text: `agent ${event.name} begins${again}${event.within ? `, asked by call ${event.within.call} of turn ${event.within.turn}` : ''}`, detail: event.given };
    }
    case 'AgentResumed':
      return { text: 'the agent goes on where it stood' };
    case 'TurnBegun':
      if (event.purpose === 'compaction') return { text: `compaction ${event.turn}: turns up to ${event.until ?? 0} are summed up` };
      return { text: `turn ${event.turn}${event.purpose === 'last' ? ', the last one: it is to answer without tools' : ''}` };
    case 'CallBegun':
      return { text: `turn ${event.turn}, call ${event.call}: ${String(event.tool)}` };
    case 'CallRefused':
      return { text: `turn ${event.turn}, call ${event.call} is refused: ${event.code}`, detail: event.reason };
    case 'AnswerRefused':
      return { text: `the answer of turn ${event.turn} is refused`, detail: event.problem };
    case 'AgentLimited':
      return { text: `the limit of ${event.limit} is reached (${event.used} of ${event.allowed}): ${event.next === 'fail' ? 'the agent fails' : 'it may answer once more'}` };
    case 'AgentHandedOver':
      return { text: `turn ${event.turn} hands over to agent ${event.name}` };
    case 'AgentEnded':
      if (event.error !== undefined) return { text: 'the agent failed', detail: event.error };
      return { text: `the agent answers with turn ${event.turn ?? 0}` };
    default:
      return assertNever(event, 'agent event');
  }
}
