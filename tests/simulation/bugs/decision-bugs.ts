// Mistakes in deciding and committing: which result counts, what is known after an unknown outcome, what is cached.
import { executionDecider, foldExecution, type ExecutionCommand, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import { CommitUnknown, StateCache } from '@weft/pipeline';
import type { ExecutionCommit, Parts } from '../src/parts.js';
import type { PlantedBug } from './planted-bug.js';

/** A decider that is asked something else than what was asked. */
const asked =
  (another: (state: ExecutionState, command: ExecutionCommand) => ExecutionCommand): Parts['executionDecider'] =>
  (programs) => {
    const right = executionDecider(programs);
    return { ...right, decide: (state, command, context) => right.decide(state, another(state, command), context) };
  };

const onUnknown = (then: (port: Parameters<Parts['executionPort']>[0], commit: ExecutionCommit) => Promise<ReadonlySet<string>>): Parts['executionPort'] => {
  return (port) => ({
    ...port,
    commit: async (commit) => {
      try {
        return await port.commit(commit);
      } catch (fault) {
        if (fault instanceof CommitUnknown) return then(port, commit);
        throw fault;
      }
    },
  });
};

let renamed = 0;

export const DECISION_BUGS: readonly PlantedBug[] = [
  {
    name: 'signal-named-by-delivery',
    mistake: 'every delivery of a signal gives it another id, so that it is taken as often as it comes',
    foundWithin: 20,
    wrong: { executionDecider: asked((_state, command) => (command.type === 'ReceiveSignal' ? { ...command, id: `${command.id}/${renamed++}` } : command)) },
  },
  {
    name: 'operation-named-by-delivery',
    mistake: 'every delivery of an operation gives it another id, so that a retry is done as often as it comes',
    foundWithin: 20,
    wrong: { executionDecider: asked((_state, command) => (command.type === 'OperateExecution' ? { ...command, id: `${command.id}/${renamed++}` } : command)) },
  },
  {
    name: 'one-person-counts-twice',
    mistake: 'who has approved a review is forgotten, so that the second approval of one person makes two',
    foundWithin: 50,
    wrong: {
      executionDecider: (programs) => {
        const right = executionDecider(programs);
        const forgetful = (state: ExecutionState): ExecutionState => ({
          ...state,
          reviews: Object.fromEntries(Object.entries(state.reviews).map(([id, review]) => [id, review.approvedBy ? { ...review, approvedBy: review.approvedBy.map(() => 'somebody') } : review])),
        });
        return { ...right, decide: (state, command, context) => right.decide(command.type === 'DecideReview' ? forgetful(state) : state, command, context) };
      },
    },
  },
  {
    name: 'loser-appends-behind',
    mistake: 'a decision that loses its place to a rival is written behind it instead of being decided again: a cancel and a result both count',
    foundWithin: 50,
    wrong: {
      executionPort: (port) => ({
        ...port,
        commit: async (commit) => {
          const won = new Set(await port.commit(commit));
          const lost = commit.decisions.filter(({ key }) => !won.has(key));
          if (lost.length === 0) return won;
          const behind = await port.commit({ ...commit, id: `${commit.id}-behind`, decisions: lost.map((decided) => ({ ...decided, sequence: decided.sequence + 1 })) });
          return new Set([...won, ...behind]);
        },
      }),
    },
  },
  {
    name: 'wait-row-left-behind',
    mistake: 'what an execution no longer waits for keeps its row',
    foundWithin: 20,
    wrong: { unparked: () => [] },
  },
  {
    name: 'quick-job-without-a-row',
    mistake: 'a quick job beside something parked has no wait row, and the sweep passes by what is parked',
    foundWithin: 500,
    wrong: { parked: (waits) => waits.filter(({ kind, subject }) => kind !== 'job' || subject === 'infer') },
  },
  {
    name: 'time-limit-without-a-row',
    mistake: 'what limits time is watched by the process that set it alone, and nobody else fires it',
    foundWithin: 50,
    wrong: { parked: (waits) => waits.filter(({ subject }) => subject !== 'timeout' && subject !== 'attempt') },
  },
  {
    name: 'end-of-another-child',
    mistake: 'the end of a child that is told again is taken for that of another one, which runs',
    foundWithin: 50,
    wrong: {
      executionDecider: asked((state, command) => {
        const [waiting] = Object.keys(state.children ?? {});
        return command.type === 'EndChild' && waiting !== undefined && !state.children?.[command.child] ? { ...command, child: waiting } : command;
      }),
    },
  },
  {
    name: 'stale-failure-counts',
    mistake: 'a failure that is told again fails the attempt that came after it',
    foundWithin: 1_000,
    wrong: { executionDecider: asked((_state, command) => (command.type === 'FailJob' ? { ...command, attempt: 0 } : command)) },
  },
  {
    name: 'migrated-under-new-names',
    mistake: 'an execution that was migrated names what it does by where its tasks are now, so that a retry does it once more',
    foundWithin: 1_000,
    wrong: {
      executionDecider: (programs) => {
        const right = executionDecider(programs);
        const renamed = (event: ExecutionEvent): ExecutionEvent => (event.type === 'DefinitionMigrated' ? { ...event, origins: {} } : event);
        return {
          ...right,
          decide: (state, command, context) => {
            const decision = right.decide(state, command, context);
            if (decision.kind !== 'accepted' || command.type !== 'MigrateExecution') return decision;
            const events = decision.events.map(renamed);
            return { ...decision, events, after: foldExecution(state, events) };
          },
        };
      },
    },
  },
  {
    name: 'generation-not-compared',
    mistake: 'a result of an earlier generation counts for the present one',
    foundWithin: 1_000,
    wrong: {
      executionDecider: asked((state, command) => {
        if (command.type !== 'FailJob' && command.type !== 'CompleteJob') return command;
        const job = state.jobs[command.job];
        return job ? { ...command, generation: job.generation, ...(command.type === 'FailJob' ? { attempt: job.attempt } : {}) } : command;
      }),
    },
  },
  {
    name: 'duplicate-result-not-ignored',
    mistake: 'a result whose job is done is given to whatever job the execution waits for',
    foundWithin: 50,
    wrong: {
      executionDecider: asked((state, command) => {
        const [waiting] = Object.values(state.jobs);
        return command.type === 'CompleteJob' && waiting && !state.jobs[command.job] ? { ...command, job: waiting.id, generation: waiting.generation } : command;
      }),
    },
  },
  {
    name: 'timer-by-wall-clock',
    mistake: 'a timer is due when a process says so, whose clock is an hour ahead',
    foundWithin: 50,
    wrong: {
      due: (due) => due - 3_600_000,
      executionDecider: (programs) => {
        const right = executionDecider(programs);
        return { ...right, decide: (state, command, context) => right.decide(state, command, command.type === 'FireTimer' ? { ...context, now: context.now + 3_600_000 } : context) };
      },
    },
  },
  {
    name: 'commit-retried-blindly',
    mistake: 'after an unknown outcome the same events are written again, behind what may be stored',
    foundWithin: 50,
    wrong: {
      executionPort: onUnknown((port, commit) => port.commit({ ...commit, id: `${commit.id}-again`, decisions: commit.decisions.map((decided) => ({ ...decided, sequence: decided.sequence + 1 })) })),
    },
  },
  {
    name: 'unknown-commit-taken-as-won',
    mistake: 'after an unknown outcome the batch is taken as committed, and everybody is told',
    foundWithin: 50,
    wrong: { executionPort: onUnknown((_port, commit) => Promise.resolve(new Set(commit.decisions.map(({ key }) => key)))) },
  },
  {
    name: 'cached-before-the-answer',
    mistake: 'the state is cached before the commit has answered, and stays when it fails or loses',
    foundWithin: 50,
    wrong: {
      executionCache: (entriesMax) =>
        new (class extends StateCache<ExecutionState> {
          override drop(): void {}
        })(entriesMax),
      executionPort: (port, cache) => ({
        ...port,
        commit: (commit) => {
          for (const { key, sequence, after } of commit.decisions) cache.set(key, sequence, after);
          return port.commit(commit);
        },
      }),
    },
  },
];
