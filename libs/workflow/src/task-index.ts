import { invariant, type JsonObject } from '@weft/kernel';
import type { TaskDefinition, Workflow } from './document.js';
import type { TaskKind } from './task-kind.js';
import { placedTasks, type PlacedTask } from './tasks.js';

/** A task of a checked document, where it stands. */
export interface IndexedTask extends Omit<PlacedTask, 'task' | 'kind'> {
  readonly task: TaskDefinition;
  readonly kind: TaskKind;
}

/** Tasks by pointer, in the order of the document. */
export type TaskIndex = ReadonlyMap<string, IndexedTask>;

/** Pointer index of a checked document. A document that `parseWorkflow` did not let through is a defect. */
export function indexTasks(workflow: Workflow): TaskIndex {
  return new Map(
    placedTasks(workflow as unknown as JsonObject).map((placed) => {
      const { kind, task, pointer } = placed;
      invariant(kind, `${pointer} is a task of a known kind`);
      return [pointer, { ...placed, kind, task: task as unknown as TaskDefinition }];
    }),
  );
}
