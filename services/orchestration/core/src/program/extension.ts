// `use.extensions`: which tasks each one runs around, and its lists compiled at each of them.
import type { Json, JsonObject } from '@weft/kernel';
import { kindOfTask, pointerTo, type extensionsOf } from '@weft/workflow';
import { bareExpression } from './expression.js';
import type { Extension, Scope, Task } from './program.js';

/** An extension as the document declares it. */
export type DeclaredExtension = ReturnType<typeof extensionsOf>[number];

// `composite` is what `do` and `fork` once were.
const COMPOSITE: ReadonlySet<string | undefined> = new Set(['do', 'fork']);

function isExtended({ definition }: Task, by: Json | undefined): boolean {
  const kind = kindOfTask(definition as JsonObject);
  return by === 'all' || by === kind || (by === 'composite' && COMPOSITE.has(kind));
}

/** @param scope compiles a list at a pointer. @returns undefined when none runs around the task. */
export function compileExtensions(declared: readonly DeclaredExtension[], task: Task, scope: (list: Json, pointer: string) => Scope): readonly Extension[] | undefined {
  const extensions = declared
    .filter(({ extension }) => isExtended(task, extension['extend']))
    .map(({ name, extension }): Extension => {
      const { when, before, after } = extension;
      return {
        name,
        ...(typeof when === 'string' ? { when: bareExpression(when) } : {}),
        ...(before === undefined ? {} : { before: scope(before, extensionPointer(task.pointer, 'before', name)) }),
        ...(after === undefined ? {} : { after: scope(after, extensionPointer(task.pointer, 'after', name)) }),
      };
    });
  return extensions.length === 0 ? undefined : extensions;
}

/** Where the tasks of an extension are, at the task that they run around. */
const extensionPointer = (task: string, phase: 'before' | 'after', name: string): string => pointerTo(task, phase, name);
