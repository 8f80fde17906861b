import { accepted, Defect, type DecideContext } from '@weft/kernel';
import { beginWorkflow } from '../../interpreter/begin.js';
import { subscribe } from '../../interpreter/subscribe.js';
import { Advance } from '../../interpreter/advance.js';
import type { CommandOf } from '../execution.commands.js';
import { errorJson, standardError, type WorkflowError } from '../../program/workflow-error.js';
import type { Program } from '../../program/program.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import type { DefinitionVersion, ExecutionEvent } from '../execution.events.js';
import type { ExecutionState } from '../execution.state.js';

/**
 * Starts the execution at the first task of its definition, or faults it when that definition cannot be used. A second start is a duplicate.
 * @param flags engine flags that it behaves by from now on.
 */
export function startExecution(state: ExecutionState, command: CommandOf<'StartExecution'>, context: DecideContext, programs: Programs, flags: readonly number[]): ExecutionDecision {
  if (state.status !== 'none') return { kind: 'ignored', reason: 'duplicate' };
  const { type: _type, ...facts } = command;
  const started: ExecutionEvent = { type: 'ExecutionStarted', at: context.now, ...facts, ...(flags.length > 0 ? { flags } : {}) };
  if (command.definition.digest === '') return accepted([started, faulted(notDeployed(command.definition), context)]);
  let program: Program;
  try {
    program = programs(command.definition.digest);
  } catch (fault) {
    if (!(fault instanceof Defect)) throw fault;
    // The request was accepted, so it gets its result: set aside it would be redelivered for ever and never be answered.
    return accepted([started, faulted(standardError('configuration', '/', 'definition-unusable', fault.message), context)]);
  }
  const advance = new Advance(state, program, context);
  advance.record(started);
  subscribe(advance);
  return advance.finish(beginWorkflow(advance));
}

const faulted = (error: WorkflowError, { now }: DecideContext): ExecutionEvent => ({ type: 'ExecutionFaulted', at: now, errorType: error.type, error: errorJson(error) });

const notDeployed = ({ namespace, name, version }: DefinitionVersion): WorkflowError =>
  standardError('configuration', '/', 'unknown-workflow', `Expected a deployed workflow but ${namespace}/${name}:${version} is not deployed. Deploy it, and retry the task that runs it.`);
