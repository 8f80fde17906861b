import type { WorkerPeer } from '@weft/contracts';

/** Who carries out jobs at once, by service. What is not listed goes to weft.jobs. */
export interface Workers {
  readonly tools: WorkerPeer;
  readonly memory: WorkerPeer;
  readonly validation: WorkerPeer;
}

const SERVICE_OF_KIND: Readonly<Record<string, keyof Workers>> = {
  tool: 'tools',
  http: 'tools',
  openapi: 'tools',
  script: 'tools',
  grpc: 'tools',
  mcp: 'tools',
  recall: 'memory',
  remember: 'memory',
  validate: 'validation',
};

/** The service that carries out a kind of job. */
export const serviceOfKind = (kind: string): keyof Workers | undefined => SERVICE_OF_KIND[kind];
