import type { WorkflowError } from './workflow-error.js';

/** What a definition asks for cannot be had of the data at hand. It becomes a workflow error at the place where it was met. */
export abstract class EvaluationFailed extends Error {
  /** @param instance JSON Pointer of the task, or of the part of the workflow. */
  abstract errorAt(instance: string): WorkflowError;
}
