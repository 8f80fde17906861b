// The official MCP conformance suite against the MCP server of a Weft that exposes workflows with the answers that the suite expects.
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import { startHop, type LocalHttp } from '../processes/local-http.js';
import { standaloneSubject } from '../prove/subject.js';

/** What the suite found in one scenario. */
export interface McpScenario {
  readonly scenario: string;
  readonly passed: number;
  readonly total: number;
  /** Sentences of checks that failed or warn. */
  readonly remarks: readonly string[];
}

const SUITE = inRoot('node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');

/** Scenarios of what Weft offers. */
const SCENARIOS = [
  'server-initialize',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-error',
  'tools-call-with-progress',
  'json-schema-2020-12',
  'dns-rebinding-protection',
];
/** Scenarios of what Weft does not offer, and why. */
export const NOT_OFFERED: Readonly<Record<string, string>> = {
  'logging-set-level': 'no logging capability',
  'completion-complete': 'no prompts or resources to complete for',
  'tools-call-with-logging': 'no logging capability',
  'tools-call-sampling': "models are Weft's own: clients are not asked for one",
  'tools-call-elicitation': 'people are asked by reviews',
  'elicitation-*': 'people are asked by reviews',
  'resources-*': 'no resources',
  'prompts-*': 'no prompts',
  'server-sse-multiple-streams': 'asks for a session first, and there are none',
  'server-sse-polling': 'no sessions, so no streams to come back to',
};

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';
const text = { type: 'text', text: 'This is a simple text response for testing.' };
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };
const resource = { type: 'resource', resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' } };
const answer = (...content: readonly object[]): readonly object[] => [{ answer: { set: { content } } }];

/** Workflows behind the tools that the suite asks for: the tasks of each. */
const WORKFLOWS: Readonly<Record<string, readonly object[]>> = {
  test_simple_text: answer(text),
  test_image_content: answer(image),
  test_audio_content: answer({ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }),
  test_embedded_resource: answer(resource),
  test_multiple_content_types: answer(text, image, resource),
  test_error_handling: [
    { fail: { raise: { error: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/runtime', status: 500, title: 'This tool intentionally returns an error for testing' } } } },
  ],
  test_tool_with_progress: [{ rest: { wait: { seconds: 5 } } }, ...answer(text)],
  json_schema_2020_12_tool: answer(text),
};
const SCHEMA_2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
};

const nameOf = (tool: string): string => tool.replaceAll('_', '-');

/** Starts a Weft and lets the suite ask it. @throws CommandFailed when the suite is not installed. */
export async function runMcpSuite(onProgress: (text: string) => void): Promise<readonly McpScenario[]> {
  if (!existsSync(SUITE))
    throw new CommandFailed('Expected the suite @modelcontextprotocol/conformance but it is not installed: it comes with the development dependencies (npm ci).', EXIT.unavailable);
  const home = inHome('conformance', 'mcp');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const subject = await standaloneSubject({ home, env: environment(home), onProgress });
  let door: LocalHttp | undefined;
  try {
    const client = new GatewayClient(subject.connection);
    for (const [tool, tasks] of Object.entries(WORKFLOWS)) {
      const document = { document: { dsl: '1.0.3', namespace: 'conformance', name: nameOf(tool), version: '1.0.0' }, do: tasks };
      await client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: JSON.stringify(document) });
    }
    const { url, apiKey } = subject.connection;
    // The suite has no way to bring a key.
    door = await startHop(url, (headers) => ({ ...headers, authorization: `Bearer ${apiKey}` }));
    const results: McpScenario[] = [];
    for (const scenario of SCENARIOS) {
      onProgress(scenario);
      results.push(await runScenario(scenario, `${door.url}/mcp`, join(home, 'results', scenario)));
    }
    return results;
  } finally {
    await door?.stop();
    await subject.stop();
  }
}

function environment(home: string): Readonly<Record<string, string>> {
  const [routes, exposed] = [join(home, 'routes.yaml'), join(home, 'mcp.json')];
  const tools = Object.keys(WORKFLOWS);
  writeFileSync(
    routes,
    JSON.stringify({ version: 1, models: [], routes: tools.map((tool) => ({ name: nameOf(tool), when: { type: tool }, workflow: { namespace: 'conformance', name: nameOf(tool) } })) }),
  );
  writeFileSync(
    exposed,
    JSON.stringify({ tools: tools.map((name) => ({ name, description: `Of the conformance suite: ${name}.`, type: name, ...(name.startsWith('json_schema') ? { input: SCHEMA_2020 } : {}) })) }),
  );
  return { WEFT_ROUTES_FILE: routes, WEFT_MCP_FILE: exposed };
}

async function runScenario(scenario: string, url: string, folder: string): Promise<McpScenario> {
  mkdirSync(folder, { recursive: true });
  const child = spawn(process.execPath, [SUITE, 'server', '--url', url, '--scenario', scenario, '--output-dir', folder], { stdio: ['ignore', 'ignore', 'ignore'] });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const [file] = globSync('**/checks.json', { cwd: folder });
  const checks =
    file === undefined
      ? []
      : (JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly {
          readonly id: string;
          readonly status: string;
          readonly errorMessage?: string;
          readonly details?: { readonly message?: string };
        }[]);
  const missed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  return {
    scenario,
    passed: checks.filter(({ status }) => status === 'SUCCESS').length,
    total: Math.max(1, checks.filter(({ status }) => status === 'SUCCESS' || status === 'FAILURE').length),
    remarks: checks.length === 0 ? ['the suite made no checks'] : missed.map(({ id, status, errorMessage, details }) => `${status.toLowerCase()} ${id}: ${errorMessage ?? details?.message ?? ''}`),
  };
}
