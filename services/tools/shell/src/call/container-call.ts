// `run: container` made ready, where the operator names an engine.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@weft/contracts';
import { rejection, type Failure } from '@weft/kernel';
import { containerArguments, readContainerRun, type ContainerRun, type Target } from '@weft/tools/core';
import { processWork, type ProcessEnd, type ProcessPorts } from '../process/process-work.js';
import { runProcess } from '../process/run-process.js';
import { notMakeable, type CallMaker } from './call-making.js';

export interface ContainerPorts extends ProcessPorts {
  /** Command of an engine that takes the arguments of docker; undefined: containers are refused. */
  readonly containerEngine: string | undefined;
  readonly processTimeoutMs: number;
}

export const CONTAINER_MISSING: Failure = rejection(
  'not-configured',
  'Expected a task that this Weft carries out but it runs a container: set WEFT_RUN_CONTAINER to the command of a container engine, such as docker.',
);

const CLEAN_UP_MS = 30_000;

export function containerCalls(ports: ContainerPorts): CallMaker {
  return (job, args) => {
    const read = readContainerRun(args);
    const on: Target = { action: 'container', program: read.ok ? read.value.image : '', effect: 'non-idempotent-write' };
    if (!read.ok) return notMakeable(on, read.failure);
    const { containerEngine } = ports;
    if (containerEngine === undefined) return notMakeable(on, CONTAINER_MISSING);
    const run = read.value;
    const container = new Container(ports, containerEngine, run.name ?? nameOf(job));
    return {
      on,
      made: {
        ok: true,
        work: processWork(ports, job, {
          kind: 'container',
          effect: 'non-idempotent-write',
          timeoutMs: ports.processTimeoutMs,
          input: run,
          run: (timeoutMs, signal) => container.run(run, timeoutMs, signal),
        }),
      },
    };
  };
}

/** As the standard recommends: {workflow.name}-{id}.{workflow.namespace}-{task.name}. Another try is another container. */
function nameOf({ workflow, pointer, idempotencyKey, context }: Job): string {
  const [namespace = '', name = ''] = (workflow.split(':')[0] ?? '').split('/');
  const id = createHash('sha256')
    .update(`${idempotencyKey} ${context?.attempt ?? 0}`)
    .digest('hex')
    .slice(0, 12);
  return `${name}-${id}.${namespace}-${pointer.split('/').at(-1) ?? ''}`.replaceAll(/[^\w.-]/g, '-').slice(0, 128);
}

class Container {
  constructor(
    private readonly ports: ContainerPorts,
    private readonly engine: string,
    private readonly name: string,
  ) {}

  async run(run: ContainerRun, timeoutMs: number, signal: AbortSignal | undefined): Promise<ProcessEnd> {
    const { inherited, background } = this.ports;
    const folder = await mkdtemp(join(tmpdir(), 'weft-container-'));
    const idFile = join(folder, 'id');
    const end = await runProcess({ command: [this.engine, ...containerArguments(run, this.name, idFile)], inherited, environment: {}, stdin: run.stdin, timeoutMs, signal });
    const id = await readFile(idFile, 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
    await rm(folder, { recursive: true, force: true });
    // None was made: what has its name is somebody else's.
    if (id === '') return end;
    const { deletedAfterMs } = run;
    // Only the client of the engine was ended: the container is, too.
    if (!end.ok) await this.#delete(id, deletedAfterMs === undefined ? 'kill' : 'rm');
    else if (deletedAfterMs !== undefined && deletedAfterMs > 0)
      background.begin(async (going) => {
        await sleep(deletedAfterMs, undefined, { signal: going }).catch(() => undefined);
        await this.#delete(id, 'rm');
      });
    return end;
  }

  async #delete(id: string, how: 'kill' | 'rm'): Promise<void> {
    const command = [this.engine, ...(how === 'kill' ? ['kill'] : ['rm', '--force']), id];
    await runProcess({ command, inherited: this.ports.inherited, environment: {}, stdin: '', timeoutMs: CLEAN_UP_MS, signal: undefined });
  }
}
