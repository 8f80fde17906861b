// What a bench runs against, whatever the profile.
import type { Pool } from '@weft/adapter-postgres';
import type { DefinitionRef } from '@weft/contracts';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Door } from './door.js';

export interface Target {
  readonly profile: 'standalone' | 'mesh';
  readonly door: Door;
  /** For the checks afterwards: reads every schema. */
  readonly pool: Pool;
  /** Deploys a workflow of the workloads' folder by its file's name, such as `chain`. */
  deploy(name: string): Promise<DefinitionRef>;
  close(): Promise<void>;
}

/** Whoever calls over HTTP, and the processes that answer. */
export interface ProcessTarget extends Target {
  readonly url: string;
  readonly apiKey: string;
  /** Process ids of Weft, without its servers. */
  readonly pids: readonly number[];
}

/** Folder of the workloads' workflows, tools, grants and routes. */
export const WORKLOADS = join(dirname(fileURLToPath(import.meta.url)), '..', 'workloads');

/** Settings that make Weft know the workloads' tools and routes. */
export const WORKLOAD_SETTINGS: Readonly<Record<string, string>> = {
  WEFT_TOOLS_FILE: join(WORKLOADS, 'tools.yaml'),
  WEFT_GRANTS_FILE: join(WORKLOADS, 'grants.yaml'),
  WEFT_ROUTES_FILE: join(WORKLOADS, 'routes.yaml'),
};
