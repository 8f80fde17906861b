// Whether an agent goes round in circles: the same calls with the same results, over and over.
import { canonicalJson } from '@weft/workflow';
import { answerOf } from './agent-transcript.js';
import type { AgentTurn } from './agent.state.js';

/** How often a circle was gone through at the end of the turns: one turn again and again, or two in turns (ping-pong). */
export interface Circle {
  readonly turnsRound: 1 | 2;
  readonly times: number;
}

/** @param timesMax how often is once too often. @returns undefined: the last turns differ. */
export function circleIn(turns: readonly AgentTurn[], timesMax: number): Circle | undefined {
  for (const turnsRound of [1, 2] as const) {
    const last = turns.slice(-turnsRound * timesMax);
    if (last.length < turnsRound * timesMax) continue;
    const said = last.map(sameness);
    if (said.every((text, at) => text !== undefined && text === said[at % turnsRound])) return { turnsRound, times: timesMax };
  }
  return undefined;
}

/** What makes two turns the same: what was called with what, and what came of it. A turn without calls is never part of a circle. */
function sameness({ answer, results }: AgentTurn): string | undefined {
  const { calls } = answerOf(answer);
  return calls.length === 0 ? undefined : canonicalJson([calls.map(({ name, arguments: given }) => [name, given]), results as never]);
}
