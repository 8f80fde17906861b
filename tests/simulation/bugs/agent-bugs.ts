// Mistakes about agents: which turn a result belongs to, under which key a call goes out, how many calls there may be.
import { isJsonObject, type Json } from '@weft/kernel';
import { executionDecider, type ExecutionState, type Task } from '@weft/orchestration/core';
import { jobOf } from '../src/job.js';
import type { PlantedBug } from './planted-bug.js';

export const AGENT_BUGS: readonly PlantedBug[] = [
  {
    name: 'call-key-without-turn',
    mistake: 'calls of different turns of an agent have the same key',
    foundWithin: 20,
    wrong: {
      jobOf: (state, job) => {
        const right = jobOf(state, job);
        return { ...right, key: right.key.replace(/turn:\d+,(?=call:)/, '') };
      },
    },
  },
  {
    name: 'turn-repeated',
    mistake: 'the answer of a turn that is told again counts as that of the next one',
    foundWithin: 20,
    wrong: {
      executionDecider: (programs) => {
        const right = executionDecider(programs);
        return {
          ...right,
          decide: (state, command, context) => {
            const told = command.type === 'CompleteJob' && !state.jobs[command.job] ? /^(.*[#,])turn:\d+$/.exec(command.job)?.[1] : undefined;
            const next = told === undefined ? undefined : Object.values(state.jobs).find(({ id, kind }) => kind === 'infer' && id.startsWith(`${told}turn:`));
            return right.decide(state, next && command.type === 'CompleteJob' ? { ...command, job: next.id, generation: next.generation } : command, context);
          },
        };
      },
    },
  },
  {
    name: 'retried-agent-forgets',
    mistake: 'an agent whose task is tried again begins anew, whatever it has done',
    foundWithin: 200,
    wrong: {
      executionDecider: (programs) => {
        const right = executionDecider(programs);
        const forgetful = (state: ExecutionState): ExecutionState => {
          const agents = Object.entries(state.agents ?? {}).map(([key, agent]) => [key, state.activations[key] ? agent : { ...agent, given: null }] as const);
          return state.agents ? { ...state, agents: Object.fromEntries(agents) } : state;
        };
        return { ...right, decide: (state, command, context) => right.decide(forgetful(state), command, context) };
      },
    },
  },
  {
    name: 'call-limit-off-by-one',
    mistake: 'an agent may make one call more than its limit says',
    foundWithin: 20,
    wrong: {
      executionDecider: (programs) =>
        executionDecider((digest) => {
          const program = programs(digest);
          const wrong = new Map<string, Task>();
          for (const [pointer, task] of program.tasks) wrong.set(pointer, task.kind === 'agent' ? { ...task, arguments: (...given) => oneMore(task.arguments(...given)) } : task);
          const scopes = new Map([...program.scopes].map(([pointer, scope]) => [pointer, { ...scope, tasks: scope.tasks.map((task) => wrong.get(task.pointer) ?? task) }]));
          return { ...program, tasks: wrong, scopes };
        }),
    },
  },
];

function oneMore(given: Json): Json {
  if (!isJsonObject(given) || !isJsonObject(given['limits'])) return given;
  return { ...given, limits: { ...given['limits'], calls: Number(given['limits']['calls']) + 1 } };
}
