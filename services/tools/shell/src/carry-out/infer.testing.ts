// A model job over real HTTP against the scripted server, without a store around it.
import { LocalLimiter, LocalSlots, LocalStream } from '@weft/adapter-local';
import { contextOf, type Command, type Job, type ModelCandidate } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { startModelServer, type ModelRule, type ModelServer } from '@weft/testkit';
import type { ToolOffer } from '@weft/tools/core';
import { EgressClient } from '../egress/egress-client.js';
import { EgressPolicy } from '../egress/egress-policy.js';
import { ModelTraffic } from '../infer/model-traffic.js';
import { SchemaCache } from '../registry/schemas.js';
import { UNLIMITED } from './budget-step.js';
import { carryOutInfer, type InferPorts } from './carry-out-infer.js';
import { Gate } from './gate.js';

export interface InferWorld {
  readonly server: ModelServer;
  readonly ports: InferPorts;
  /** Carries out one job over candidates of these names. */
  infer(names: readonly (string | Partial<ModelCandidate>)[], args: Json, job?: Partial<Job>): Promise<Command>;
  close(): Promise<void>;
}

let jobs = 0;

export async function inferWorld(rules: readonly ModelRule[], more: Partial<InferPorts> = {}): Promise<InferWorld> {
  const server = await startModelServer({ script: { rules } });
  const egress = new EgressClient(new EgressPolicy([server.url]));
  const ports: InferPorts = {
    egress,
    gate: new Gate(64),
    secrets: () => undefined,
    schemas: new SchemaCache(),
    traffic: new ModelTraffic({ limiterOf: (_name, allowance) => new LocalLimiter(allowance), slots: new LocalSlots(), now: () => performance.now() }),
    draw: async () => UNLIMITED,
    offer: (): ToolOffer => ({ offered: [], withheld: [] }),
    tokens: new LocalStream(),
    modelTimeoutMs: 5_000,
    modelStallMs: 200,
    ...more,
  };
  return {
    server,
    ports,
    infer: (names, args, job = {}) => {
      const id = `job-${++jobs}`;
      const models = names.map((name) => {
        const given = typeof name === 'string' ? { model: name } : name;
        return { id: given.model ?? '', endpoint: `${server.url}/v1`, model: '', keySecret: '', reason: 'first of the route', simulated: true, ...given };
      });
      return carryOutInfer(ports, { ...jobOf(id, args), models, ...job }, args);
    },
    close: async () => {
      egress.close();
      await server.close();
    },
  };
}

function jobOf(id: string, args: Json): Job {
  const executionId = '0190b1a2-0000-7000-8000-000000000001';
  return {
    id,
    executionId,
    context: contextOf({ tenant: 'default', executionId }),
    kind: 'infer',
    generation: 0,
    idempotencyKey: `default/${executionId}/do/0/${id}/0`,
    pointer: '/do/0/ask',
    iteration: '',
    inputJson: JSON.stringify(args),
    models: [],
    settlement: undefined,
    workflow: 'acme/chat:1.0.0',
    approvals: [],
    agent: '',
  };
}
