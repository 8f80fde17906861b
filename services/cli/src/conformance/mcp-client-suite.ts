// The official conformance suite of the Model Context Protocol, run against the client by which Weft calls tools.
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inRoot } from '../paths.js';

/** Scenarios of the suite about what Weft's client offers. */
const SCENARIOS = ['initialize', 'tools_call', 'sse-retry'] as const;

/** What the suite asks besides, and why Weft's client does not offer it. */
export const NOT_OFFERED_BY_CLIENT: readonly { readonly scenarios: string; readonly reason: string }[] = [
  { scenarios: 'elicitation-sep1034-client-defaults', reason: 'nobody stands by to be asked in the middle of a call: the capability is not declared' },
  { scenarios: 'auth/*', reason: 'Weft holds a secret of its own for each upstream; there is no interactive authorisation' },
];

export interface McpClientScenario {
  readonly scenario: string;
  readonly passed: boolean;
  /** Checks that passed and all that count. */
  readonly checksPassed: number;
  readonly checks: number;
  /** Descriptions of the checks that failed. */
  readonly failed: readonly string[];
}

export interface McpClientResult {
  readonly version: string;
  readonly scenarios: readonly McpClientScenario[];
}

interface Check {
  readonly status: string;
  readonly description: string;
}

const run = promisify(execFile);
const SCENARIO_MS = 60_000;

/** Runs the client scenarios one after the other. @throws CommandFailed when the suite is not installed. */
export async function runMcpClientSuite(told: (text: string) => void): Promise<McpClientResult> {
  const suite = inRoot('node_modules', '@modelcontextprotocol', 'conformance');
  const version = versionOf(suite);
  const folder = mkdtempSync(join(tmpdir(), 'weft-mcp-conformance-'));
  const client = `"${process.execPath}" "${inRoot('services', 'tools', 'shell', 'dist', 'mcp', 'conformance-client.main.js')}"`;
  try {
    const scenarios: McpClientScenario[] = [];
    for (const scenario of SCENARIOS) {
      told(`scenario ${scenario}`);
      const output = join(folder, scenario);
      const isOk = await run(process.execPath, [join(suite, 'dist', 'index.js'), 'client', '--command', client, '--scenario', scenario, '--output-dir', output], {
        timeout: SCENARIO_MS,
        cwd: folder,
      }).then(
        () => true,
        () => false,
      );
      scenarios.push(scenarioOf(scenario, isOk, checksIn(output)));
    }
    return { version, scenarios };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function versionOf(suite: string): string {
  try {
    return (JSON.parse(readFileSync(join(suite, 'package.json'), 'utf8')) as { readonly version: string }).version;
  } catch {
    throw new CommandFailed('Expected the conformance suite of the Model Context Protocol among the installed packages but it is not there: run npm ci.', EXIT.unavailable);
  }
}

const checksIn = (folder: string): readonly Check[] => globSync('*/checks.json', { cwd: folder }).flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Check[]);

function scenarioOf(scenario: string, isOk: boolean, checks: readonly Check[]): McpClientScenario {
  const counted = checks.filter(({ status }) => status === 'SUCCESS' || status === 'FAILURE');
  const failed = counted.filter(({ status }) => status === 'FAILURE').map(({ description }) => description);
  // A scenario without a check has shown nothing.
  return { scenario, passed: isOk && counted.length > 0 && failed.length === 0, checksPassed: counted.length - failed.length, checks: counted.length, failed };
}
