// An agent over the real store: its jobs as they travel, a process that takes it over, and what its timeline says.
import { openScratchStore, type ScratchStore } from '@weft/adapter-postgres';
import { Command, type Job, type Usage } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { context, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration, type Work } from './orchestration.testing.js';

let scratch: ScratchStore;
const open: RunningOrchestration[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});
afterAll(() => scratch.close());

async function begin(work?: Work): Promise<RunningOrchestration> {
  const running = await startOrchestration(scratch.address, work);
  open.push(running);
  return running;
}

const agent = (more: object = {}): readonly object[] => [
  { work: { call: 'agent', with: { name: 'worker', instructions: 'Work.', prompt: 'Go.', tools: ['look', 'send-*'], limits: { tokens: 1000 }, ...more } } },
];
const USAGE: Usage = { inputTokens: 40, outputTokens: 10, moneyMicros: 7, calls: 1, estimated: false };
const says = (job: Job, content: string | null, ...calls: readonly string[]): Command => {
  const command = resultOf(job, { content, toolCalls: calls.map((name, at) => ({ id: `m${at}`, name, arguments: { at } })), finishReason: 'stop' });
  return { ...command, completeJob: { ...command.completeJob!, usage: USAGE } };
};
const turns = (running: RunningOrchestration, executionId: string): readonly Job[] => running.bus.on('weft.jobs', executionId).map(({ body }) => body as Job);
const turn = (running: RunningOrchestration, executionId: string, number: number): Promise<Job> =>
  eventually(() => turns(running, executionId).find(({ iteration }) => iteration === `turn:${number}`), { what: `turn ${number}` });
const inputOf = (job: Job): { readonly messages: readonly { readonly role: string; readonly content: string }[]; readonly [field: string]: Json } => JSON.parse(job.inputJson) as never;

async function start(running: RunningOrchestration, name: string, more: object = {}): Promise<string> {
  const executionId = newExecutionId();
  await running.send(startCommand(executionId, await running.deploy(definitionText(name, agent(more)))));
  return executionId;
}

describe('an agent', () => {
  it('sends its turns over the bus and its calls to tools, under its own name, with what is left to it', async () => {
    const calls: Job[] = [];
    const running = await begin((jobs) => {
      calls.push(...jobs);
      return jobs.map((job) => resultOf(job, { found: 7 }));
    });
    const executionId = await start(running, 'two-turns');
    const first = await turn(running, executionId, 1);
    expect(first).toMatchObject({ kind: 'infer', agent: 'worker', pointer: '/do/0/work', attenuation: { tools: ['look', 'send-*'], budget: { tokens: 1000 } } });
    await running.send(says(first, null, 'look', 'send-mail'));
    const second = await turn(running, executionId, 2);
    expect(calls.map(({ kind, agent: name, iteration, inputJson }) => [kind, name, iteration, JSON.parse(inputJson)])).toEqual([
      ['tool', 'worker', 'turn:1,call:1', { name: 'look', arguments: { at: 0 } }],
      ['tool', 'worker', 'turn:1,call:2', { name: 'send-mail', arguments: { at: 1 } }],
    ]);
    expect(new Set([first, second, ...calls].map(({ idempotencyKey }) => idempotencyKey)).size).toBe(4);
    expect(second.attenuation?.budget?.tokens).toBe(950);
    expect(inputOf(second).messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'tool']);
    await running.send(says(second, 'Seven.'));
    const result = await eventually(() => running.bus.on(RESULTS, executionId)[0]);
    expect(result).toMatchObject({ body: { status: 'completed', output: 'Seven.' } });
  });

  it('goes on behind its last finished turn in the next process, with the very same jobs', async () => {
    const lost: Job[] = [];
    const first = await begin((jobs) => {
      lost.push(...jobs);
      return [];
    });
    const executionId = await start(first, 'taken-over');
    await first.send(says(await turn(first, executionId, 1), null, 'look'));
    await eventually(() => lost.length > 0);
    await first.close();
    open.splice(open.indexOf(first), 1);
    const again: Job[] = [];
    const second = await begin((jobs) => {
      again.push(...jobs);
      return jobs.map((job) => resultOf(job, 'here'));
    });
    const next = await turn(second, executionId, 2);
    expect(again.find((job) => job.executionId === executionId)).toEqual(lost[0]);
    expect(turns(second, executionId).map(({ iteration }) => iteration)).toEqual(['turn:2']);
    expect(inputOf(next).messages.at(-1)).toMatchObject({ role: 'tool', content: 'here' });
  });

  it('is explained: which part each line is about, and what was left of its limits', async () => {
    const running = await begin();
    const executionId = await start(running, 'explained');
    await running.send(says(await turn(running, executionId, 1), null, 'look', 'drop'));
    await running.send(says(await turn(running, executionId, 2), 'Done.'));
    await eventually(() => running.bus.on(RESULTS, executionId)[0]);
    const { entries } = await running.controller.getTimeline({ executionId, afterVersion: -1 } as never, context());
    const lines = entries.map(({ type, part }) => `${type} ${part}`.trimEnd());
    expect(lines).toContain('CallRefused turn 1, call 2');
    expect(lines.filter((line) => line.startsWith('JobCompleted'))).toEqual(['JobCompleted turn 1', 'JobCompleted turn 1, call 1', 'JobCompleted turn 2']);
    const begun = entries.filter(({ type }) => type === 'TurnBegun').map(({ detailJson }) => JSON.parse(detailJson) as Json);
    expect(begun).toEqual([{ left: { turns: 20, calls: 200, tokens: 1000 } }, { left: { turns: 19, calls: 198, tokens: 950 } }]);
  });
});
