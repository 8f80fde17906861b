// What the documents of a suite work with: stand-ins for public hosts, a simulated model, and a tool.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inHome } from '../paths.js';
import { startScriptedModel } from '../processes/stand-in.js';
import { startPublicHosts } from './public-hosts.js';

export interface SuiteWorld {
  /** A text with each public host replaced by its stand-in. */
  readonly localised: (text: string) => string;
  /** Settings for Weft's process. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

// What the model says stands in the request itself, so that a scenario can be read as a whole.
const SCRIPT = { rules: [{ contains: '[[turns:', answer: { fromRequest: true } }, {}] };

const TOOLS = {
  tools: [
    {
      name: 'find-pet',
      description: 'Finds a pet by its number.',
      kind: 'script',
      effect: 'read',
      input: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
      output: { type: 'object' },
      script: { source: 'return { id: input.id, name: "pet " + input.id }' },
    },
  ],
};

export async function startSuiteWorld(): Promise<SuiteWorld> {
  mkdirSync(inHome('run'), { recursive: true });
  const folder = mkdtempSync(inHome('run', 'suite-'));
  const file = (name: string, content: object): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const hosts = await startPublicHosts();
  const model = await startScriptedModel(file('model-script.json', SCRIPT), inHome('logs', 'scripted-model.log')).catch(async (fault: unknown) => {
    await hosts.stop();
    throw fault;
  });
  return {
    localised: hosts.localised,
    settings: { WEFT_MODEL_ENDPOINT: `${model.url}/v1`, WEFT_MODEL: 'simulated', WEFT_EGRESS_ALLOW: model.url, WEFT_TOOLS_FILE: file('tools.yaml', TOOLS) },
    stop: async () => {
      await Promise.all([hosts.stop(), model.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
