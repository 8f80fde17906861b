// What the agents of the proof are told to do: the script stands in the prompt, and the scripted model plays it.
import type { Json } from '@weft/kernel';

/** An agent of the proof, and what it owes. */
export interface ScriptedAgent {
  readonly kind: 'killed' | 'stopped' | 'benign';
  readonly ends: 'completed' | 'faulted';
  readonly effects: { readonly [tool: string]: number };
  readonly input: Json;
}

interface Call {
  readonly tool: 'once' | 'idempotent' | 'read' | 'helper';
  readonly given: Json;
}

interface Turn {
  readonly calls: readonly Call[];
  readonly tokens?: number;
}

// Names as they are on the wire: a provider takes no dots.
const WIRE = { once: 'prove_once', idempotent: 'prove_idempotent', read: 'prove_read', helper: 'ask_helper' } as const;
/** How long the model thinks: kills meet turns under way too. */
const TURN_MS = 60;
const DONE = { answer: { content: 'done' } };

function scriptOf(turns: readonly Turn[], isEndless = false): string {
  const replies = turns.map(({ calls, tokens }) => ({
    delayMs: TURN_MS,
    answer: { toolCalls: calls.map(({ tool, given }) => ({ name: WIRE[tool], arguments: given })) },
    ...(tokens === undefined ? {} : { usage: { inputTokens: tokens, outputTokens: 0 } }),
  }));
  return `[[turns: ${JSON.stringify([...replies, ...(isEndless ? [] : [DONE])])}]]`;
}

const call = (tool: 'once' | 'idempotent' | 'read', n: number): Call => ({ tool, given: { n } });
const alternating = (n: number): Call => call(n % 2 === 0 ? 'idempotent' : 'once', n);
const ENOUGH: Json = { turns: 100, calls: 1000 };

/** An agent of so many turns with one call each. */
export function steadyAgent(turns: number, kind: ScriptedAgent['kind'] = 'killed'): ScriptedAgent {
  const script = scriptOf(Array.from({ length: turns }, (_, at) => ({ calls: [alternating(at + 1)] })));
  return { kind, ends: 'completed', effects: { once: Math.ceil(turns / 2), idempotent: Math.floor(turns / 2) }, input: { script, limits: ENOUGH } };
}

/** One that makes four calls a turn at the same time. */
export function parallelAgent(turns: number): ScriptedAgent {
  const script = scriptOf(Array.from({ length: turns }, (_, at) => ({ calls: [1, 2, 3, 4].map((n) => alternating(at * 10 + n)) })));
  return { kind: 'killed', ends: 'completed', effects: { once: turns * 2, idempotent: turns * 2 }, input: { script, limits: ENOUGH } };
}

/** One that has two others work at the same time, then works itself. */
export function askingAgent(): ScriptedAgent {
  const part = (from: number): Call => ({ tool: 'helper', given: { message: scriptOf([{ calls: [alternating(from)] }, { calls: [alternating(from + 1)] }]) } });
  const script = scriptOf([{ calls: [part(1), part(11)] }, { calls: [alternating(21)] }]);
  return { kind: 'killed', ends: 'completed', effects: { once: 3, idempotent: 2 }, input: { script, limits: ENOUGH } };
}

/** Agents that a limit has to stop, each by another one. @param isLoose whether the limits are left out, as a plant. */
export function stoppedAgents(isLoose: boolean): readonly ScriptedAgent[] {
  const limits = (wanted: { readonly [name: string]: Json }): Json => (isLoose ? ENOUGH : { ...(ENOUGH as object), ...wanted });
  const stopped = (effects: ScriptedAgent['effects'], script: string, wanted: { readonly [name: string]: Json }): ScriptedAgent => ({
    kind: 'stopped',
    ends: 'faulted',
    effects,
    input: { script, limits: limits(wanted) },
  });
  const many = (tokens?: number): readonly Turn[] => Array.from({ length: 12 }, (_, at) => ({ calls: [call('idempotent', at)], ...(tokens === undefined ? {} : { tokens }) }));
  const same = [{ calls: [call('read', 1), call('idempotent', 1)] }];
  return [
    stopped({ idempotent: 4 }, scriptOf(many()), { turns: 4 }),
    stopped({ idempotent: 5 }, scriptOf([{ calls: Array.from({ length: 12 }, (_, at) => call('idempotent', at)) }]), { calls: 5 }),
    stopped({ idempotent: 3 }, scriptOf(many(1000)), { tokens: 2500 }),
    stopped({}, scriptOf([{ calls: Array.from({ length: 3 }, (_, at) => call('once', at)) }]), { calls: 0 }),
    // The receiver's answer holds a number of its own: what repeats is a read.
    stopped({}, scriptOf([{ calls: [same[0]!.calls[0]!] }], true), isLoose ? { repeats: 100 } : { repeats: 3 }),
  ];
}
