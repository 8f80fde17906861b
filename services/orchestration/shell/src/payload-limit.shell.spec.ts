import { openScratchStore, type ScratchStore } from '@weft/adapter-postgres';
import type { ResultBody } from '@weft/contracts';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';
import { payloadTooLarge } from './payload-limit.js';

// Orchestration of specs takes payloads of 1 MiB.
const MIB = 1024 * 1024;

let scratch: ScratchStore;
let running: RunningOrchestration;
const inputs: string[] = [];
let output: string = '';

beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  running = await startOrchestration(scratch.address, (jobs) => {
    inputs.push(...jobs.map(({ inputJson }) => inputJson));
    return jobs.map((job) => resultOf(job, output));
  });
});
afterAll(async () => {
  await running?.close();
  await scratch?.close();
});

async function endOf(name: string, tasks: readonly object[], input: object): Promise<ResultBody> {
  const executionId = newExecutionId();
  await running.send(startCommand(executionId, await running.deploy(definitionText(name, tasks)), input as never));
  return (await eventually(() => running.bus.on(RESULTS, executionId)[0])).body as ResultBody;
}

const call = (name: string, body: string): object => ({ [name]: { call: 'http', with: { method: 'post', endpoint: 'https://example.test', body } } });

describe('a payload beyond the limit', () => {
  it('fails the job whose output it is, in a way that the workflow catches', async () => {
    output = 'x'.repeat(MIB);
    const tasks = [{ guarded: { try: [call('large', 'small')], catch: { errors: { with: { status: 400 } }, do: [{ fallback: { set: { caught: '${ $error.title }' } } }] } } }];
    expect(await endOf('large-output', tasks, {})).toMatchObject({ status: 'completed', output: { caught: 'payload-too-large' } });
  });

  it('fails the job whose input it is before anybody is sent it', async () => {
    output = 'fine';
    const before = inputs.length;
    const end = await endOf('large-input', [call('large', '${ .text + .text }')], { text: 'x'.repeat(600_000) });
    expect(end).toMatchObject({ status: 'faulted', error: { title: 'payload-too-large', detail: expect.stringContaining(`at most ${MIB} bytes`) } });
    expect(inputs.length).toBe(before);
  });

  it('is one byte more than what passes', async () => {
    output = 'x'.repeat(MIB - 2);
    expect(await endOf('just-fits', [call('fits', 'small')], {})).toMatchObject({ status: 'completed' });
    expect(payloadTooLarge('it', 'ü'.repeat(MIB / 2), MIB)).toBeUndefined();
    expect(payloadTooLarge('it', `${'ü'.repeat(MIB / 2)}x`, MIB)).toMatchObject({ code: 'payload-too-large' });
  });
});
