// The bench beside a running mesh: the same load, through Kafka.
import { KafkaBus } from '@weft/adapter-kafka';
import { openPool, parseStoreUrl } from '@weft/adapter-postgres';
import type { DefinitionRef } from '@weft/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenTarget } from './standalone-target.js';

export interface MeshAddresses {
  readonly brokers: readonly string[];
  readonly storeUrl: string;
  readonly gatewayUrl: string;
  readonly apiKey: string;
}

export async function openMesh(files: string, { brokers, storeUrl, gatewayUrl, apiKey }: MeshAddresses): Promise<OpenTarget> {
  const response = await fetch(`${gatewayUrl}/v1/definitions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/yaml' },
    body: readFileSync(join(files, 'workflow.yaml'), 'utf8'),
  });
  const definition = (await response.json()) as DefinitionRef & { detail?: string };
  if (!response.ok) throw new Error(`the mesh refused the definition: ${definition.detail ?? response.status}`);
  const { namespace, name, version, digest } = definition;
  const bus = new KafkaBus({ brokers: [...brokers], clientId: 'bench' });
  const pool = openPool(parseStoreUrl(storeUrl), { applicationName: 'weft bench', max: 1 });
  return {
    profile: 'mesh',
    bus,
    definition: { namespace, name, version, digest },
    pool,
    close: async () => {
      await bus.close();
      await pool.end();
    },
  };
}
