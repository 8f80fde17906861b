// Executions that a task starts: `run: workflow` one, `map` one for each item.
import type { Json } from '@weft/kernel';
import type { ActivationKey } from '../execution/execution.events.js';
import { jobIdIn } from '../execution/execution.state.js';

/** A workflow as a document names it; the version `latest` is the one deployed last. */
export interface WorkflowName {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
}

/** The execution that started another one. */
export interface ParentExecution {
  readonly execution: string;
  /** The activation that started it. */
  readonly key: ActivationKey;
  /** Of a `map`: index of the item, from 0. */
  readonly item?: number;
  /** How many executions are above it, from 1. */
  readonly depth: number;
  /** The one at the top, which a request or a schedule started. */
  readonly root: string;
  /** Whether the parent waits for its end. */
  readonly isAwaited: boolean;
}

/** An execution that an activation waits for. */
export interface OpenChild {
  /** Id of the execution. */
  readonly id: string;
  readonly key: ActivationKey;
  readonly item?: number;
  /** Of `run`; the items of a `map` all run the workflow of their `map`. */
  readonly called?: { readonly workflow: WorkflowName; readonly input: Json };
}

export type ChildStatus = 'completed' | 'faulted' | 'cancelled';

/** What a `map` does about an item that fails. */
export type OnItemError = 'fail' | 'collect';

/** Where a `map` stands. */
export interface MapState {
  readonly workflow: WorkflowName;
  readonly items: Json;
  readonly count: number;
  /** Items that run at the same time, at most. */
  readonly concurrency: number;
  readonly onError: OnItemError;
  /** The first item that was never started. */
  readonly next: number;
  readonly ended: number;
  /** By item, in chunks: `{output}` or `{error}`. See `chunked.ts`. */
  readonly results: Chunked;
}

/** A list in pieces, so that one more entry copies a piece and not the list. */
export type Chunked = readonly (readonly Json[] | null)[];

/** Workflows that start each other do so at most this deep. Source: docs/sub-workflows.md. */
export const DEPTH_MAX = 32;

/** What the generation of a child is counted under: its activation, and which item it is. */
export const childPlace = (state: Parameters<typeof jobIdIn>[0], { key, item }: Pick<OpenChild, 'key' | 'item'>): string => `${jobIdIn(state, key)}${item === undefined ? '' : `[${item}]`}`;
