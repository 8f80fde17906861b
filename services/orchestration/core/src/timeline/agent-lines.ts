// What agents did, in sentences.
import { assertNever, type Json } from '@weft/kernel';
import type { AgentEvent } from '../agent/agent.events.js';

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
