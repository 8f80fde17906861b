import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployDefinition } from '../client/executions.js';
import type { GatewayClient } from '../client/gateway-client.js';
import type { DeployedShape } from '../client/shapes.js';
import { CommandFailed } from '../exit-codes.js';
import { inRoot } from '../paths.js';

/** The workflows of the examples: files named `workflow.yaml` or `*.workflow.yaml`. */
export function exampleWorkflows(folder: string = inRoot('examples')): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(folder, name))
        .filter((file) => /(^|\.)workflow\.yaml$/.test(file))
        .map((file) => join(folder, name, file)),
    )
    .sort();
}

/** Deploys the examples. One that is refused (such as an edited one under its old version) is named and does not keep the others back. */
export async function deployExamples(client: GatewayClient, onRefused: (sentence: string) => void): Promise<readonly DeployedShape[]> {
  const deployed: DeployedShape[] = [];
  for (const file of exampleWorkflows()) {
    try {
      deployed.push(await deployDefinition(client, readFileSync(file, 'utf8')));
    } catch (fault) {
      if (!(fault instanceof CommandFailed)) throw fault;
      onRefused(`${file} was not deployed: ${fault.message}`);
    }
  }
  return deployed;
}
