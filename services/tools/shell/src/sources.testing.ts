// Tools with sources over a real store, for specs.
import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore, tenantRole, type Pool } from '@weft/adapter-postgres';
import type { Command, Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { toolsMigrations } from './migrations/index.js';
import { parseDeclarations, parseGrants } from './registry/files.js';
import { toolJob } from './source/tools.testing.js';
import { toolsParts } from './tools.module.js';

export type ToolsUnderTest = ReturnType<typeof toolsParts>;

/** Path of a real MCP server of npm. */
export const npmServer = (name: string): string => fileURLToPath(new URL(`../../../../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));

export interface SourcesBench {
  readonly pool: Pool;
  readonly tenantPool: Pool;
  /** One process of tools with these sources, as the tools file declares them. */
  start(sources: readonly object[]): Promise<ToolsUnderTest>;
  /** Ends what was started. Pins stay: each spec names its sources differently. */
  stopAll(): Promise<void>;
  close(): Promise<void>;
}

export async function openSourcesBench(): Promise<SourcesBench> {
  configureLog({ write: () => undefined });
  const store = await openScratchStore([toolsMigrations]);
  const pool = openPool(store.address, { role: engineRole('tools'), applicationName: 'sources spec' });
  const tenantPool = openPool(store.address, { role: tenantRole('tools'), applicationName: 'sources spec tenant' });
  const running: { readonly abort: AbortController; readonly tools: ToolsUnderTest }[] = [];
  return {
    pool,
    tenantPool,
    async start(sources) {
      const abort = new AbortController();
      const tools = toolsParts(
        {
          enginePool: pool,
          tenantPool,
          bus: new LocalBus(),
          ...parseDeclarations(JSON.stringify({ sources }), 'spec'),
          environment: process.env,
          grants: parseGrants('grants: [{tenant: default, workflow: acme/*, tools: ["*"]}]', 'spec'),
          secrets: (name) => (name === 'UPSTREAM' ? 'hush' : undefined),
          settings: {
            WEFT_TRUSTED_LABELS: [],
            WEFT_TOOLS_CONCURRENCY: 8,
            WEFT_MODEL_TIMEOUT_MS: 500,
            WEFT_MODEL_STALL_MS: 500,
            WEFT_AGENT_TIMEOUT_MS: 1_000,
            WEFT_SUBSCRIPTION_TIMEOUT_MS: 1_000,
            WEFT_SCRIPT_TIMEOUT_MS: 1_000,
            WEFT_PROCESS_TIMEOUT_MS: 1_000,
            WEFT_SANDBOX_PROCESSES: 1,
            WEFT_BUDGET_LEASE_MS: 60_000,
            WEFT_CALL_TIMEOUT_MS: 500,
            WEFT_EGRESS_ALLOW: [],
            WEFT_EGRESS_PRIVATE: [],
            WEFT_EGRESS_NAT64: [],
            WEFT_EGRESS_DNS: [],
          },
        },
        abort.signal,
      );
      running.push({ abort, tools });
      await tools.sources.start();
      return tools;
    },
    async stopAll() {
      for (const { abort, tools } of running.splice(0)) {
        abort.abort();
        await tools.sources.stop();
        tools.egress.close();
      }
    },
    async close() {
      await Promise.all([pool.end(), tenantPool.end()]);
      await store.close();
    },
  };
}

/** Accepts everything that a source offers now. @returns the names. */
export async function acceptAll(tools: ToolsUnderTest, source: string): Promise<readonly string[]> {
  const offering = tools.sources.all.find((one) => one.source.name === source) ?? expect.unreachable(`no source ${source}`);
  await offering.look();
  const offered = offering.offered ?? expect.unreachable('nothing was listed');
  const fit = [...offered].filter(([, { problem }]) => problem === undefined);
  await Promise.all(fit.map(([name, { digest }]) => tools.pins.ask(name, { type: 'AcceptTool', digest, by: 'ada', reason: '' })));
  return fit.map(([name]) => name);
}

export const jobOf = (tool: string, args: Json, more: Partial<Job> = {}): Job => ({ ...toolJob(tool, args), ...more });

/** Carries out one job to its end. */
export const carried = async (tools: ToolsUnderTest, tool: string, args: Json = {}): Promise<Command> => (await tools.worker.carry(jobOf(tool, args))) ?? expect.unreachable('a job came to nothing');

/** Output of a command that completes. */
export const outputOf = ({ completeJob, failJob }: Command): Json => (completeJob ? (JSON.parse(completeJob.outputJson) as Json) : expect.unreachable(JSON.stringify(failJob)));
