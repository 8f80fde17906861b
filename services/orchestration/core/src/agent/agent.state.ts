// An agent as its history folds it: what it was given, its turns, and what they have cost.
import type { Instant, Json } from '@weft/kernel';
import type { ActivationKey, JobUsage } from '../execution/execution.events.js';
import type { AgentCall, TurnPurpose } from './agent.events.js';

/** What a call came to. */
export type CallResult = { readonly output: Json } | { readonly error: { readonly code: string; readonly message: string } };

/** A turn that the model has answered. */
export interface AgentTurn {
  readonly turn: number;
  readonly answer: Json;
  /** By number of the call, from 1. */
  readonly results: Readonly<Record<string, CallResult>>;
  /** Number of the last call that was begun or refused; 0: none. */
  readonly begun: number;
  /** What the model is told after it. */
  readonly note?: Json;
}

export interface AgentState {
  readonly key: ActivationKey;
  readonly name: string;
  readonly beginning: number;
  readonly begunAt: Instant;
  readonly given: Json;
  readonly within?: AgentCall;
  /** Which of those that it may hand over to speaks; undefined: itself. */
  readonly speaker?: number;
  /** Turns answered so far; compactions do not count. */
  readonly taken: number;
  readonly compactions: number;
  /** Those that no compaction has summed up, oldest first. */
  readonly turns: readonly AgentTurn[];
  readonly summary?: Json;
  /** Calls begun or refused so far, its own and those of agents that it asked. */
  readonly calls: number;
  readonly usage: Omit<JobUsage, 'calls' | 'estimated'>;
  /** Final answers refused since it began or was resumed. */
  readonly repairs: number;
  /** Turns that it had taken when a limit was met: one more is granted, without tools. */
  readonly lastAfter?: number;
  readonly answered?: { readonly output: Json };
}

/** Of an activation that is a turn or a call of an agent. */
export interface AgentStep {
  readonly agent: ActivationKey;
  readonly turn: number;
  /** From 1; undefined: the turn itself. */
  readonly call?: number;
  readonly purpose?: TurnPurpose;
  readonly until?: number;
}

/** The name that a model gives a call by, and what it is to be called with. */
export interface AskedCall {
  readonly name: string;
  readonly arguments: Json;
}

/** What a model answered in a turn. */
export interface TurnAnswer {
  readonly content: string | null;
  readonly calls: readonly AskedCall[];
}
