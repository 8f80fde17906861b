// Jobs of calls and runs on a real store, as their specs send them.
import { fileURLToPath } from 'node:url';
import type { Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { parseGrants } from '../registry/files.js';
import { carry, toolJob, type ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import type { ToolsPorts } from '../tools.module.js';

const GRANTS = parseGrants('grants: [{tenant: "*", workflow: acme/*, kinds: [http, openapi, grpc, asyncapi, mcp, a2a, script, shell, container]}]', 'spec');

// Processes run what is built.
const SANDBOX = fileURLToPath(new URL('../../dist/sandbox/sandbox.main.js', import.meta.url));

/** One process of tools that may call and run everything that its settings let it. */
export const startCalls = (bench: ToolsBench, settings: Partial<ToolsPorts['settings']> = {}): Promise<ToolsParts> =>
  bench.start([], { grants: GRANTS, environment: { PATH: process.env['PATH'] }, sandboxMain: SANDBOX, settings });

/** A job of a kind with these arguments, of an execution of its own. */
export const callJob = (kind: string, args: Json): Job => ({ ...toolJob('', {}), kind, inputJson: JSON.stringify(args) });

/** What came of a job. */
export type CameTo = { readonly output: Json; readonly taint: readonly string[] } | { readonly code: string; readonly message: string; readonly outcome: string; readonly needsPerson: boolean };

export async function cameTo(parts: ToolsParts, job: Job): Promise<CameTo> {
  const { completeJob, failJob } = await carry(parts, job);
  if (completeJob) return { output: JSON.parse(completeJob.outputJson) as Json, taint: completeJob.taint };
  const { failure, outcome, needsPerson } = failJob!;
  return { code: failure!.code, message: failure!.message, outcome, needsPerson };
}
