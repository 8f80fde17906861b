// The functions that a document is read as calls of, by name.
import { a2a, asyncapi, call, grpc, http, mcp, openapi } from './calls.js';
import { agent, embed, infer, map, recall, remember, review, tool, validate } from './catalogue.js';
import { attempt, cases, forEach, fork, raise, sequence, set, wait } from './control.js';
import { emit, listen } from './events.js';
import { runContainer, runScript, runShell, runWorkflow } from './processes.js';
import { standardTask } from './task.js';

/** Calls whose arguments have a function of their own; its name is the call's. */
export const CALLERS = { http, openapi, grpc, asyncapi, mcp, a2a, infer, agent, embed, recall, remember, validate, review, tool, map };

export const BUILDER_FUNCTIONS = {
  ...CALLERS,
  call,
  set,
  wait,
  raise,
  sequence,
  cases,
  forEach,
  fork,
  attempt,
  emit,
  listen,
  runContainer,
  runScript,
  runShell,
  runWorkflow,
  standardTask,
};

export type FunctionName = keyof typeof BUILDER_FUNCTIONS;
