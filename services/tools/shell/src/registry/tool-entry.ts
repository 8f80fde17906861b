// Tools as the worker finds them by name.
import type { Job } from '@weft/contracts';
import type { Failure, Json } from '@weft/kernel';
import type { DataClass, EffectClass } from '@weft/tools/core';
import type { WorkMaking } from '../carry-out/work.js';
import type { SchemaCheck } from './schemas.js';

/** What is known of every tool that may be called. */
export interface ToolFacts {
  readonly name: string;
  /** Name of its source; `declared` for what the operator declares. */
  readonly source: string;
  /** Digest of the definition that is in force, SHA-256 in hex: approvals and permissions are about this one. */
  readonly pin: string;
  /** What people and models are told, without invisible characters. */
  readonly description: string;
  /** JSON Schema of the arguments, without invisible characters. */
  readonly input: Json;
  readonly effect: EffectClass;
  readonly data: DataClass;
  /** Price of one call, millionths of the unit of money. */
  readonly costMicros: number;
  /** What is wrong with arguments, by the tool's schema. */
  readonly inputProblem: SchemaCheck;
}

/** A tool whose answer stands in its declaration. */
export interface StaticEntry extends ToolFacts {
  readonly kind: 'static';
  /** JSON text, made once. */
  readonly answerText: string;
}

/** A tool that is reached over a transport. */
export interface ActingEntry extends ToolFacts {
  readonly kind: 'acting';
  /** Makes a job ready to be sent, its arguments checked before. Nothing is sent yet. */
  work(job: Job, args: Json): WorkMaking;
}

/** A tool that is known and may not be called: quarantined, rejected, or unfit. */
export interface ClosedEntry {
  readonly kind: 'closed';
  readonly name: string;
  readonly failure: Failure;
}

export type ToolEntry = StaticEntry | ActingEntry | ClosedEntry;
