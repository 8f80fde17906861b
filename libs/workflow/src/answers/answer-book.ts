// Which answer a call gets. Calls are told apart by who makes them, so that the same one asked again gets the same answer.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { segmentsOf } from '../pointer.js';
import type { Answer, Answering } from './read-answers.js';

/** A call as it would be made. */
export interface MadeCall {
  /** The same for every delivery of one call. */
  readonly id: string;
  /** Pointer of the task that makes it. */
  readonly pointer: string;
  readonly kind: string;
  readonly arguments: Json;
}

/** Answers in the order of their file, and which calls they have answered. */
export class AnswerBook {
  readonly #taken = new Map<Answer, number>();
  readonly #given = new Map<string, Answering>();

  constructor(private readonly answers: readonly Answer[]) {}

  /** The answer of a call, or undefined when none fits. */
  answer(call: MadeCall): Answering | undefined {
    const before = this.#given.get(call.id);
    if (before) return before;
    const fitting = this.answers.find((answer) => fits(answer, call));
    if (!fitting) return undefined;
    const taken = this.#taken.get(fitting) ?? 0;
    this.#taken.set(fitting, taken + 1);
    const answering = fitting.answers[Math.min(taken, fitting.answers.length - 1)]!;
    this.#given.set(call.id, answering);
    return answering;
  }
}

function fits({ task, call, with: wanted }: Answer, made: MadeCall): boolean {
  if (task !== undefined && task !== made.pointer && task !== segmentsOf(made.pointer).at(-1)) return false;
  if (call !== undefined && call !== made.kind) return false;
  return wanted === undefined || holds(made.arguments, wanted);
}

/** Whether a value has all that is wanted of it. */
function holds(value: Json | undefined, wanted: Json): boolean {
  if (Array.isArray(wanted)) return Array.isArray(value) && value.length === wanted.length && wanted.every((item, i) => holds((value as readonly Json[])[i], item as Json));
  if (isJsonObject(wanted)) return isJsonObject(value) && Object.entries(wanted).every(([key, item]) => holds((value as JsonObject)[key], item));
  return value === wanted;
}
