// Orchestration on a scratch store, with a bus and workers that do what a spec tells them.
import { LocalBus } from '@weft/adapter-local';
import { type StoreAddress } from '@weft/adapter-postgres';
import { Command, contextOf, TOPICS, type CommandBatch, type Context, type DefinitionRef, type Envelope, type Job } from '@weft/contracts';
import { uuidv7, type Json } from '@weft/kernel';
import { BusTransport, createApp } from '@weft/nest-platform';
import { outgoing, type Bus, type Outgoing } from '@weft/pipeline';
import { randomBytes } from 'node:crypto';
import { OrchestrationController } from './consume/orchestration.controller.js';
import { ExecutionEngine } from './handle/execution-engine.js';
import { OrchestrationModule, type OrchestrationPorts } from './orchestration.module.js';

export const context = (more: Partial<Context> = {}): Context => contextOf({ tenant: 'default', actor: 'key:k1', ...more });

/** A document of workflow `spec/NAME:VERSION` with these tasks. */
export const definitionText = (name: string, tasks: readonly object[], version = '1.0.0'): string => JSON.stringify({ document: { dsl: '1.0.3', namespace: 'spec', name, version }, do: tasks });

/** Tasks that call HTTP one after the other: jobs that the tools service carries out at once. */
export const calls = (...names: readonly string[]): readonly object[] => names.map((name) => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } }));

export const newExecutionId = (): string => uuidv7(Date.now(), randomBytes(10));

/** The command that starts an execution, as routing sends it. */
export function startCommand(executionId: string, definition: DefinitionRef | undefined, input: Json = {}, more: Partial<Context> = {}): Command {
  return Command.fromPartial({
    id: `start/${executionId}`,
    executionId,
    context: context({ executionId, ...more }),
    start: { requestSource: '/spec', requestId: `r-${executionId}`, requestType: 'com.example.spec.v1', definition, inputJson: JSON.stringify(input), models: [{ id: 'm' }] },
  });
}

/** The result of a job, as a worker reports it. */
export function resultOf(job: Job, output: Json): Command {
  return Command.fromPartial({
    id: `${job.id}/${job.generation}/completed`,
    executionId: job.executionId,
    context: job.context,
    completeJob: { jobId: job.id, generation: job.generation, outputJson: JSON.stringify(output), taint: [] },
  });
}

/** What a worker does with a batch of jobs; no commands: nothing is heard of them. */
export type Work = (jobs: readonly Job[]) => readonly Command[] | Promise<readonly Command[]>;

/** A bus in the process that keeps what goes out, and that a spec can take away. */
export class WatchedBus implements Bus {
  readonly local = new LocalBus();
  readonly sent: Outgoing[] = [];
  isAway = false;

  async publish(messages: readonly Outgoing[]): Promise<void> {
    if (this.isAway) throw new Error('the bus is away');
    this.sent.push(...messages);
    await this.local.publish(messages);
  }

  subscribe(options: Parameters<Bus['subscribe']>[0]): ReturnType<Bus['subscribe']> {
    return this.local.subscribe(options);
  }

  async close(): Promise<void> {
    await this.local.close();
  }

  /** What went to a topic, about one execution when it is named. */
  on(topic: string, executionId?: string): readonly Envelope[] {
    return this.sent.filter((message) => message.topic === topic && (executionId === undefined || message.envelope.key === executionId)).map(({ envelope }) => envelope);
  }
}

export interface RunningOrchestration {
  readonly bus: WatchedBus;
  readonly engine: ExecutionEngine;
  readonly controller: OrchestrationController;
  /** Deploys for the tenant of the context. */
  readonly deploy: (text: string, as?: Context) => Promise<DefinitionRef>;
  /** Publishes commands the way other services do. */
  readonly send: (...commands: readonly Command[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Ports that a spec sets otherwise; settings that it leaves out are those below. */
export type SpecPorts = Partial<Omit<OrchestrationPorts, 'settings'>> & { readonly settings?: Partial<OrchestrationPorts['settings']> };

const SETTINGS: OrchestrationPorts['settings'] = {
  WEFT_LIFECYCLE: 'workflow',
  WEFT_LIFECYCLE_PROFILE: '1.0.3',
  WEFT_SWEEP_MS: 60_000,
  WEFT_SWEEP_SILENT_MS: 60_000,
  WEFT_MCP_STDIO: [],
  WEFT_PAYLOAD_BYTES_MAX: 1024 * 1024,
  WEFT_RETRIES_MAX: 100,
  WEFT_PAYLOAD_DAYS: 8,
  WEFT_SCHEDULE_CATCH_UP: 'one',
};

/** Starts the module as a process would. @param work of all three workers; default: each job is completed with `{}`. */
export async function startOrchestration(store: StoreAddress, work: Work = (jobs) => jobs.map((job) => resultOf(job, {})), { settings, ...more }: SpecPorts = {}): Promise<RunningOrchestration> {
  const bus = new WatchedBus();
  const worker = {
    async *carryOut({ jobs }: { readonly jobs: readonly Job[] }): AsyncIterable<CommandBatch> {
      yield { commands: [...(await work(jobs))] };
    },
  };
  const module = OrchestrationModule.forRoot({ store, bus, busIsVolatile: true, workers: { tools: worker, memory: worker, validation: worker }, settings: { ...SETTINGS, ...settings }, ...more });
  const running = await createApp({ service: 'orchestration', module, http: { port: 0 }, transports: () => [{ strategy: new BusTransport(bus) }] });
  const controller = running.app.get(OrchestrationController, { strict: false });
  return {
    bus,
    controller,
    engine: running.app.get(ExecutionEngine, { strict: false }),
    deploy: async (text, as = context()) => (await controller.deploy({ text }, as)).ref!,
    send: (...commands) =>
      bus.local.publish(
        commands.map((command) =>
          outgoing('commands', { id: command.id, source: '/spec', type: 'ai.weft.command.v1', key: command.executionId, context: command.context ?? context(), body: command }),
        ),
      ),
    close: async () => {
      await running.close();
      await bus.close();
    },
  };
}

export const RESULTS = TOPICS.results.name;
