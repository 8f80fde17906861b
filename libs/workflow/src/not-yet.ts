// What the standard has and this engine does not carry out yet. A line goes when its feature lands.
import type { TaskKind } from './task-kind.js';

export interface NotYet {
  /** The document, every task, or tasks of one kind. */
  readonly where: 'document' | 'task' | TaskKind;
  /** Field from there, by dots; `*` stands for any name or position. */
  readonly what: string;
  /** Only this value of the field. */
  readonly is?: string | RegExp;
}

export const NOT_YET: readonly NotYet[] = [
  { where: 'document', what: 'schedule.on.until' },
  { where: 'document', what: 'evaluate.mode', is: 'loose' },
];
