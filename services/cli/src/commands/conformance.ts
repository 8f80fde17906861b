// `weft conformance`: suites that others wrote, run against this installation.
import type { SuiteResult } from '@weft/jq';
import type { Command } from 'commander';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readFeature } from '../conformance/feature-file.js';
import { runJqSuite } from '../conformance/jq-suite.js';
import { NOT_OFFERED_BY_CLIENT, runMcpClientSuite, type McpClientScenario } from '../conformance/mcp-client-suite.js';
import { NOT_OFFERED, runMcpSuite } from '../conformance/mcp-suite.js';
import { runOwsSuite, type ScenarioResult } from '../conformance/ows-suite.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer, table } from '../output/print.js';
import { interruptible } from '../processes/interruption.js';
import { readInput, withExamples } from './command.js';
import { registerReport } from './conformance-report.js';

/** Share of a file's groups that has to pass, percent. */
const FLOOR_PERCENT = 98;

export function registerConformance(program: Command): void {
  const conformance = program.command('conformance').description('Run suites that others wrote; exits with 1 when too little of them passes');
  registerOws(conformance);
  registerMcp(conformance);
  registerMcpClient(conformance);
  registerReport(conformance);
  const jq = conformance
    .command('jq')
    .description(`Run test files in the form of jq's own; exits with 1 when less than ${FLOOR_PERCENT} % of a file passes`)
    .argument('<file...>', "test files, such as jq's tests/jq.test")
    .option('--json', 'print one JSON line');
  withExamples(jq, [
    ['./weft conformance jq jq.test man.test', 'how many groups pass, and why the others do not'],
    ['./weft conformance jq jq.test --json', 'one JSON line: {files: [{file, passed, total, skipped, misses}]}'],
  ])
    .addHelpText('after', '\nGroups that import modules are skipped and not counted in the total: expressions of workflows read no files.')
    .action(runJq);
}

function registerMcp(conformance: Command): void {
  const mcp = conformance
    .command('mcp-server')
    .description("Run the official MCP conformance suite against Weft's MCP server; exits with 1 when a check fails")
    .option('--json', 'print one JSON line');
  withExamples(mcp, [
    ['./weft conformance mcp-server', 'each scenario of what Weft offers, half a minute'],
    ['./weft conformance mcp-server --json', 'one JSON line: {passed, total, scenarios: [{scenario, passed, total, remarks}], notOffered}'],
  ])
    .addHelpText('after', '\nThe suite is @modelcontextprotocol/conformance, of the development dependencies. It runs against a Weft of its own.')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const out = printer(json);
      const scenarios = await interruptible(out.progress, (told) => Promise.race([runMcpSuite(out.progress), told]));
      const [passed, total] = [scenarios.reduce((sum, one) => sum + one.passed, 0), scenarios.reduce((sum, one) => sum + one.total, 0)];
      out.data({ passed, total, scenarios, notOffered: NOT_OFFERED }, () =>
        [
          ...scenarios.flatMap((one) => [
            `${one.passed === one.total ? colors.green('✓') : colors.red('✗')} ${one.scenario}: ${one.passed} of ${one.total} checks`,
            ...one.remarks.map((remark) => colors.dim(`    ${remark}`)),
          ]),
          ...Object.entries(NOT_OFFERED).map(([name, why]) => colors.dim(`- ${name}: ${why}`)),
        ].join('\n'),
      );
      if (passed < total) throw new CommandFailed(`${total - passed} of ${total} checks do not pass.`);
    });
}

function registerOws(conformance: Command): void {
  const ows = conformance
    .command('ows')
    .description('Run the features of the Open Workflow Specification; exits with 1 when a scenario does not pass')
    .argument('<dir>', 'folder with .feature files, at any depth')
    .option('--json', 'print one JSON line');
  withExamples(ows, [
    ['./weft conformance ows ctk/features', 'each scenario as an execution of a Weft of its own'],
    ['./weft conformance ows ctk/features --json', 'one JSON line: {passed, total, scenarios: [{feature, scenario, passed, reasons}]}'],
  ])
    .addHelpText('after', '\nPublic hosts that the documents name (a pet store, httpbin) are replaced by stand-ins on this machine.')
    .action(async (folder: string, { json = false }: { readonly json?: boolean }) => {
      const out = printer(json);
      const files = globSync('**/*.feature', { cwd: folder }).sort();
      if (files.length === 0) throw new CommandFailed(`Expected .feature files in ${folder} but there is none.`, EXIT.usage);
      const scenarios = files.flatMap((file) => readFeature(readInput(join(folder, file), 'a feature')));
      const results = await interruptible(out.progress, (told) => runOwsSuite(scenarios, out.progress, told));
      const passed = results.filter((result) => result.passed).length;
      out.data({ passed, total: results.length, scenarios: results }, () => [...results.map(scenarioText), `${passed} of ${results.length} scenarios pass`].join('\n'));
      if (passed < results.length) throw new CommandFailed(`${results.length - passed} of ${results.length} scenarios do not pass.`);
    });
}

function registerMcpClient(conformance: Command): void {
  const mcp = conformance
    .command('mcp-client')
    .description('Run the official suite of the Model Context Protocol against the client by which Weft calls tools; exits with 1 when a scenario does not pass')
    .option('--json', 'print one JSON line');
  withExamples(mcp, [
    ['./weft conformance mcp-client', 'every scenario about what the client offers'],
    ['./weft conformance mcp-client --json', 'one JSON line: {version, passed, total, scenarios: [{scenario, passed, checks, failed}], notOffered}'],
  ]).action(async ({ json = false }: { readonly json?: boolean }) => {
    const out = printer(json);
    const { version, scenarios } = await interruptible(out.progress, (told) => Promise.race([runMcpClientSuite(out.progress), told]));
    const passed = scenarios.filter((scenario) => scenario.passed).length;
    out.data({ version, passed, total: scenarios.length, scenarios, notOffered: NOT_OFFERED_BY_CLIENT }, () =>
      [
        ...scenarios.map(clientScenarioText),
        ...NOT_OFFERED_BY_CLIENT.map((not) => colors.dim(`- ${not.scenarios}: not offered, ${not.reason}`)),
        `${passed} of ${scenarios.length} scenarios pass (suite ${version})`,
      ].join('\n'),
    );
    if (passed < scenarios.length) throw new CommandFailed(`${scenarios.length - passed} of ${scenarios.length} scenarios do not pass.`);
  });
}

function clientScenarioText({ scenario, passed, checks, checksPassed, failed }: McpClientScenario): string {
  return [`${passed ? colors.green('✓') : colors.red('✗')} ${scenario}: ${checksPassed} of ${checks} checks`, ...failed.map((check) => colors.dim(`    ${check}`))].join('\n');
}

function scenarioText({ feature, scenario, passed, reasons }: ScenarioResult): string {
  return [`${passed ? colors.green('✓') : colors.red('✗')} ${feature}: ${scenario}`, ...reasons.map((reason) => colors.dim(`    ${reason}`))].join('\n');
}

interface FileResult extends SuiteResult {
  readonly file: string;
}

async function runJq(paths: readonly string[], { json = false }: { readonly json?: boolean }): Promise<void> {
  const out = printer(json);
  const texts = paths.map((path) => readInput(path, 'a test file of jq'));
  const files: FileResult[] = [];
  // One after the other: each has a thread with a large stack.
  for (const [i, text] of texts.entries()) files.push({ file: basename(paths[i]!), ...(await runJqSuite(text)) });
  out.data({ files }, () => files.map(fileText).join('\n'));
  const poor = files.filter(({ passed, total }) => passed * 100 < total * FLOOR_PERCENT);
  if (poor.length > 0) throw new CommandFailed(`Less than ${FLOOR_PERCENT} % pass of ${poor.map(({ file }) => file).join(', ')}.`);
}

function fileText({ file, passed, total, skipped, misses }: FileResult): string {
  const head = `${file}: ${passed} of ${total} groups pass${skipped === 0 ? '' : `, ${skipped} that import modules are skipped`}`;
  return [head, table(misses.map(({ program, reason }) => [`  ${colors.red('✗')} ${program.slice(0, 80)}`, colors.dim(reason)]))].filter((part) => part !== '').join('\n');
}
