// What can have happened to an agent: its turns and calls are activations and jobs of the same history.
import type { Instant, Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';

/** Limits by which an agent can be stopped. `repeats`: it goes round in circles. */
export type AgentLimit = 'turns' | 'calls' | 'tokens' | 'money' | 'time' | 'repeats';

/** `turn`: the model goes on; `last`: it is to answer now, without tools; `compaction`: it sums up what is left out from then on. */
export type TurnPurpose = 'turn' | 'last' | 'compaction';

/** A call of an agent's turn, both numbered from 1. */
export interface AgentCall {
  readonly agent: ActivationKey;
  readonly turn: number;
  readonly call: number;
}

export type AgentEvent =
  | {
      readonly type: 'AgentBegun';
      /** The task's activation, or that of the call by which another agent asks this one. */
      readonly key: ActivationKey;
      readonly name: string;
      /** From 1; begun again it is asked something else, and does its own work. */
      readonly beginning: number;
      readonly at: Instant;
      /** What it was given, as the workflow or the other agent says it. */
      readonly given: Json;
      /** The call of another agent that it answers. */
      readonly within?: AgentCall;
    }
  /** It goes on where it stood, in a later attempt of its task. */
  | { readonly type: 'AgentResumed'; readonly key: ActivationKey; readonly at: Instant }
  /** @property until the last turn that a compaction sums up. */
  | { readonly type: 'TurnBegun'; readonly key: ActivationKey; readonly agent: ActivationKey; readonly turn: number; readonly purpose: TurnPurpose; readonly until?: number; readonly at: Instant }
  /** @property tool the name that the model called. What it is called with stands in the turn's answer. */
  | ({ readonly type: 'CallBegun'; readonly key: ActivationKey; readonly at: Instant; readonly tool: Json } & AgentCall)
  /** A call that nobody carries out: the model is told why. */
  | ({ readonly type: 'CallRefused'; readonly code: string; readonly reason: Json } & AgentCall)
  /** A final answer that does not fit: the model is told why, and may answer again. */
  | { readonly type: 'AnswerRefused'; readonly agent: ActivationKey; readonly turn: number; readonly call?: number; readonly problem: Json }
  | { readonly type: 'AgentLimited'; readonly agent: ActivationKey; readonly limit: AgentLimit; readonly used: number; readonly allowed: number; readonly next: 'fail' | 'answer' }
  /** Another agent speaks from now on. @property to its place among those that this one may hand over to, from 0. */
  | ({ readonly type: 'AgentHandedOver'; readonly to: number; readonly name: string } & AgentCall)
  /** The answer is what the turn said or, with `call`, what that call was given. An error ends only an agent that answers another one. */
  | { readonly type: 'AgentEnded'; readonly key: ActivationKey; readonly turn?: number; readonly call?: number; readonly isKept?: true; readonly error?: Json };
