// The bench beside a running mesh: the same load, through Kafka.
import { KafkaBus } from '@weft/adapter-kafka';
import { openPool, parseStoreUrl } from '@weft/adapter-postgres';
import type { DefinitionRef } from '@weft/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { busDoor } from './door.js';
import { WORKLOADS, type ProcessTarget } from './target.js';

export interface MeshAddresses {
  readonly brokers: readonly string[];
  readonly storeUrl: string;
  readonly gatewayUrl: string;
  readonly apiKey: string;
  /** Process ids of the services. */
  readonly pids: readonly number[];
}

export async function openMesh({ brokers, storeUrl, gatewayUrl, apiKey, pids }: MeshAddresses): Promise<ProcessTarget> {
  const bus = new KafkaBus({ brokers: [...brokers], clientId: 'bench' });
  const pool = openPool(parseStoreUrl(storeUrl), { applicationName: 'weft bench', max: 1 });
  return {
    profile: 'mesh',
    door: busDoor(bus),
    pool,
    url: gatewayUrl,
    apiKey,
    pids,
    deploy: async (name) => {
      const response = await fetch(`${gatewayUrl}/v1/definitions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/yaml' },
        body: readFileSync(join(WORKLOADS, `${name}.yaml`), 'utf8'),
      });
      const definition = (await response.json()) as DefinitionRef & { detail?: string };
      if (!response.ok) throw new Error(`the mesh refused the definition of ${name}: ${definition.detail ?? response.status}`);
      return { namespace: definition.namespace, name: definition.name, version: definition.version, digest: definition.digest };
    },
    close: async () => {
      await bus.close();
      await pool.end();
    },
  };
}
