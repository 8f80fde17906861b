// Tools with sources on a real store, as specs of sources use them.
import { engineRole, openPool, openScratchStore, tenantRole, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { LocalBus } from '@weft/adapter-local';
import { contextOf, type Command, type Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { z } from 'zod';
import { toolsSettings } from '../config.js';
import { toolsMigrations } from '../migrations/index.js';
import { parseDeclarations, parseGrants } from '../registry/files.js';
import { toolsParts, type ToolsPorts } from '../tools.module.js';

export type ToolsParts = ReturnType<typeof toolsParts>;

const SETTINGS = z.object(toolsSettings).parse({ WEFT_TOOLS_CONCURRENCY: 8 });

/** A store that several processes of tools share. */
export class ToolsBench {
  readonly #running: { readonly abort: AbortController; readonly parts: ToolsParts }[] = [];

  private constructor(
    private readonly store: ScratchStore,
    readonly pool: Pool,
    private readonly tenantPool: Pool,
  ) {}

  static async open(): Promise<ToolsBench> {
    configureLog({ write: () => undefined });
    const store = await openScratchStore([toolsMigrations]);
    const poolOf = (role: string): Pool => openPool(store.address, { role, applicationName: 'tools spec', max: 8 });
    return new ToolsBench(store, poolOf(engineRole('tools')), poolOf(tenantRole('tools')));
  }

  /** One process of tools. `sources`: as in a tools file. */
  async start(sources: readonly object[], more: Partial<Omit<ToolsPorts, 'settings'>> & { readonly settings?: Partial<ToolsPorts['settings']> } = {}): Promise<ToolsParts> {
    const abort = new AbortController();
    const declared = parseDeclarations(JSON.stringify({ sources }), 'spec');
    const { settings, ...ports } = more;
    const grants = parseGrants('grants: [{tenant: "*", workflow: acme/*, tools: ["*"]}]', 'spec');
    const parts = toolsParts(
      { enginePool: this.pool, tenantPool: this.tenantPool, bus: new LocalBus(), ...declared, grants, secrets: () => undefined, environment: {}, ...ports, settings: { ...SETTINGS, ...settings } },
      abort.signal,
    );
    this.#running.push({ abort, parts });
    await parts.sources.start();
    return parts;
  }

  /** Ends every process of tools. */
  async reset(): Promise<void> {
    for (const { abort, parts } of this.#running.splice(0)) {
      abort.abort();
      await Promise.all([parts.sources.stop(), parts.workers.stop()]);
      parts.egress.close();
    }
  }

  async close(): Promise<void> {
    await this.reset();
    await Promise.all([this.pool.end(), this.tenantPool.end()]);
    await this.store.close();
  }
}

/** Accepts everything that a source offers now. @returns the names. */
export async function acceptAll(parts: ToolsParts, source: string): Promise<readonly string[]> {
  const tools = parts.sources.all.find((one) => one.source.name === source);
  if (!tools) throw new Error(`there is no source ${source}`);
  await tools.look();
  const names = [...(tools.offered?.keys() ?? [])];
  for (const { problem, tool } of tools.offered?.values() ?? []) if (problem !== undefined) throw new Error(`${tool.name}: ${problem}`);
  await Promise.all(names.map((name) => parts.pins.ask(name, { type: 'AcceptTool', digest: tools.offered!.get(name)!.digest, by: 'ada', reason: '' })));
  return names;
}

let number = 0;

/** A job that calls a tool, of an execution of its own. */
export const toolJob = (tool: string, args: Json, tenant = 'default'): Job => jobOf('tool', { name: tool, arguments: args }, tenant);

/** A job of a kind, of an execution of its own. */
export function jobOf(kind: string, input: Json, tenant = 'default'): Job {
  const executionId = `01890000-0000-7000-8000-${String(++number).padStart(12, '0')}`;
  const id = `${executionId}/do/0/x`;
  return {
    id,
    executionId,
    context: contextOf({ tenant, executionId, jobId: id, attempt: 1 }),
    kind,
    generation: 0,
    idempotencyKey: `${tenant}/${id}/0`,
    pointer: '/do/0/x',
    iteration: '',
    inputJson: JSON.stringify(input),
    models: [],
    settlement: undefined,
    workflow: 'acme/x:1.0.0',
    approvals: [],
    agent: '',
  };
}

/** Carries out a job to its end. */
export async function carry(parts: ToolsParts, job: Job): Promise<Command> {
  const command = await parts.worker.carry(job);
  if (!command) throw new Error('the job came to nothing');
  return command;
}

/** The output of a call that is expected to complete. */
export async function outputOf(parts: ToolsParts, tool: string, args: Json): Promise<Json> {
  const { completeJob, failJob } = await carry(parts, toolJob(tool, args));
  if (!completeJob) throw new Error(`${tool} failed: ${JSON.stringify(failJob)}`);
  return JSON.parse(completeJob.outputJson) as Json;
}
