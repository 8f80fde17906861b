export { defineTool, NotDone, type ReconcileAnswer, type Tool, type ToolCallContext, type ToolEffect, type ToolOptions } from './define-tool.js';
export type { FromJsonSchema, InputOf, JsonSchema, OutputOf, ToolSchema } from './tool-schema.js';
export { runWorker, type Worker, type WorkerEvent, type WorkerOptions } from './worker.js';
