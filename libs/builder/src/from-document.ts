// A document as a workflow of this package again.
import type { JsonObject } from '@weft/kernel';
import { BUILDER_FUNCTIONS } from './builder-functions.js';
import { expression, Binding } from './expression.js';
import type { Part } from './part.js';
import { programOf } from './program.js';
import type { Task } from './task.js';
import { workflow, type Head, type Workflow } from './workflow.js';

/**
 * A document as a workflow, to be extended or looked at; building it gives an equal document.
 * @param document that `parseWorkflow` accepts. @throws BuilderError for one whose lists of tasks cannot be.
 */
export function fromDocument(document: JsonObject): Workflow {
  const { name, head, tasks } = programOf(document);
  return workflow(name, carriedOut(head) as Head).do(carriedOut(tasks) as never);
}

function carriedOut(part: Part): unknown {
  switch (part.kind) {
    case 'value':
      return part.value;
    case 'expression':
      return expression(() => ({ text: part.jq, binding: Binding.pipe }));
    case 'list':
      return part.items.map(carriedOut);
    case 'object':
      return Object.fromEntries(part.fields.map(([name, value]) => [name, carriedOut(value)]));
    case 'call': {
      const make = BUILDER_FUNCTIONS[part.name] as unknown as (...args: readonly unknown[]) => Task;
      return make(...part.args.map(carriedOut));
    }
  }
}
