// The table of contents of what can happen to an execution.
import { assertNever, rejection, type Decider, type DecideContext, type Decision } from '@weft/kernel';
import type { Program } from '../program/program.js';
import { beginFork } from './commands/begin-fork.js';
import { changeReview } from './commands/change-review.js';
import { completeJob } from './commands/complete-job.js';
import { decideReview } from './commands/decide-review.js';
import { endChild } from './commands/end-child.js';
import { failJob } from './commands/fail-job.js';
import { fireTimer } from './commands/fire-timer.js';
import { migrateExecution } from './commands/migrate-execution.js';
import { operateExecution } from './commands/operate-execution.js';
import { receiveSignal } from './commands/receive-signal.js';
import { startExecution } from './commands/start-execution.js';
import { stopChild } from './commands/stop-child.js';
import type { ExecutionCommand } from './execution.commands.js';
import type { ExecutionEvent } from './execution.events.js';
import { evolveExecution, foldExecution } from './execution.evolve.js';
import { initialExecution, type ExecutionState } from './execution.state.js';
import { requireKnown, THIS_RELEASE, type EngineRelease } from '../upgrade/engine-flags.js';

/** Finds the compiled definition of a digest; the shell has fetched it before the batch is decided. @throws Defect when it is missing or cannot be compiled. */
export type Programs = (digest: string) => Program;

export type ExecutionDecision = Decision<ExecutionEvent, never, ExecutionState>;

/**
 * The execution decider. Effects are not listed: what is to be dispatched, parked or announced follows from the states
 * before and after (`effectsBetween`, `announcementsOf`), so that recovery derives the very same.
 */
export function executionDecider(programs: Programs, release: EngineRelease = THIS_RELEASE): Decider<ExecutionState, ExecutionCommand, ExecutionEvent, never> {
  return {
    initial: initialExecution,
    evolve: evolveExecution,
    fold: foldExecution,
    decide: (state, command, context) => decideExecution(state, command, context, programs, release),
  };
}

function decideExecution(state: ExecutionState, command: ExecutionCommand, context: DecideContext, programs: Programs, release: EngineRelease): ExecutionDecision {
  // Whoever acts for a tenant reaches nothing else, whichever way the command came.
  if ('tenant' in command && (state.status === 'none' || command.tenant !== state.context.tenant))
    return { kind: 'rejected', rejection: rejection('unknown-execution', 'Expected an execution of this tenant but there is none of that id.') };
  const flags = command.type === 'BeginFork' ? flagsOf(command.events) : state.flags;
  if (flags) requireKnown(flags, release);
  switch (command.type) {
    case 'StartExecution':
      return startExecution(state, command, context, programs, release.starts);
    case 'CompleteJob':
      return completeJob(state, command, context, programs);
    case 'FailJob':
      return failJob(state, command, context, programs);
    case 'StopChild':
      return stopChild(state, command, context, programs);
    case 'EndChild':
      return endChild(state, command, context, programs);
    case 'ReceiveSignal':
      return receiveSignal(state, command, context, programs);
    case 'FireTimer':
      return fireTimer(state, command, context, programs);
    case 'DecideReview':
      return decideReview(state, command, context, programs);
    case 'ChangeReview':
      return changeReview(state, command, context, programs);
    case 'OperateExecution':
      return operateExecution(state, command, context, programs);
    case 'MigrateExecution':
      return migrateExecution(state, command, context, programs);
    case 'BeginFork':
      return beginFork(state, command, context, programs);
    default:
      return assertNever(command, 'execution command');
  }
}

function flagsOf([started]: readonly ExecutionEvent[]): readonly number[] | undefined {
  return started?.type === 'ExecutionStarted' ? started.flags : undefined;
}
