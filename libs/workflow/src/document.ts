// Documents of the Open Workflow Specification 1.0.3 as types: those of the standard's schema, and what its schema leaves out.
import type * as standard from './generated/standard.js';

/** The types that the schema of the standard says, each by its name there. */
export type * as standard from './generated/standard.js';

/** A document that was checked: `parseWorkflow` lets nothing else through. */
export type Workflow = standard.StandardWorkflow & {
  /** In the text of the standard, and missing from its schema. */
  readonly evaluate?: { readonly language?: 'jq'; readonly mode?: 'strict' | 'loose' };
};

/** A task of any kind; the key that tells the kind is one of `TASK_KINDS`. */
export type TaskDefinition = standard.Task;
