// The command line's own commands as a smoke test: each as a process of its own, in a home of its own.
import type { Command } from 'commander';
import { inHome } from '../paths.js';
import { lastLines } from '../servers/command.js';
import { runChild } from './child.js';
import type { ServerName } from './test-servers.js';
import type { Step, StepOutcome } from './step.js';

interface Smoke {
  readonly name: string;
  readonly args: readonly string[];
  readonly needs: readonly ServerName[];
  readonly timeoutMs: number;
  /** A remark from what the command printed; throws when that is not what it should be. */
  readonly read: (stdout: string) => string;
}

const SMOKES: readonly Smoke[] = [
  { name: 'simulate', args: ['simulate', '--seeds', '1000', '--json'], needs: [], timeoutMs: 180_000, read: simulateRemark },
  { name: 'demo (standalone)', args: ['demo', '--json'], needs: [], timeoutMs: 180_000, read: demoRemark },
  { name: 'demo (mesh)', args: ['demo', '--json', '--profile', 'mesh'], needs: ['kafka'], timeoutMs: 240_000, read: demoRemark },
  { name: 'prove kills (standalone)', args: ['prove', 'kills', '--executions', '40', '--kills', '4', '--profile', 'standalone', '--json'], needs: [], timeoutMs: 240_000, read: killsRemark },
  { name: 'prove failpoints (standalone)', args: ['prove', 'failpoints', '--json'], needs: [], timeoutMs: 600_000, read: failpointsRemark },
  { name: 'prove egress', args: ['prove', 'egress', '--benign', '20', '--json'], needs: [], timeoutMs: 120_000, read: egressRemark },
  { name: 'prove permissions', args: ['prove', 'permissions', '--attacks', '32', '--benign', '12', '--json'], needs: [], timeoutMs: 120_000, read: permissionsRemark },
  { name: 'prove agents (standalone)', args: ['prove', 'agents', '--turns', '2', '--beside', '1', '--benign', '20', '--json'], needs: [], timeoutMs: 120_000, read: agentsRemark },
  { name: 'prove streams', args: ['prove', 'streams', '--rounds', '1', '--benign', '20', '--json'], needs: [], timeoutMs: 120_000, read: streamsRemark },
  { name: 'prove effects', args: ['prove', 'effects', '--faults', '70', '--json'], needs: [], timeoutMs: 120_000, read: effectsRemark },
  { name: 'prove budgets', args: ['prove', 'budgets', '--calls', '200', '--cap', '20', '--deaths', '1', '--json'], needs: [], timeoutMs: 120_000, read: budgetsRemark },
  { name: 'bench chain (standalone)', args: ['bench', 'chain', '--count', '200', '--concurrency', '16', '--profile', 'standalone', '--json'], needs: [], timeoutMs: 120_000, read: chainRemark },
  { name: 'bench fanout (standalone)', args: ['bench', 'fanout', '--count', '100', '--concurrency', '16', '--json'], needs: [], timeoutMs: 120_000, read: fanoutRemark },
  { name: 'bench infer (standalone)', args: ['bench', 'infer', '--count', '200', '--concurrency', '16', '--json'], needs: [], timeoutMs: 120_000, read: inferRemark },
  { name: 'bench parked (standalone)', args: ['bench', 'parked', '--count', '1000', '--settle-seconds', '1', '--json'], needs: [], timeoutMs: 180_000, read: parkedRemark },
  { name: 'bench growth (standalone)', args: ['bench', 'growth', '--sizes', '2000,4000', '--count', '200', '--json'], needs: [], timeoutMs: 180_000, read: growthRemark },
  { name: 'bench crash (standalone)', args: ['bench', 'crash', '--json'], needs: [], timeoutMs: 120_000, read: crashRemark },
  { name: 'bench overload (standalone)', args: ['bench', 'overload', '--seconds', '3', '--concurrency', '32', '--json'], needs: [], timeoutMs: 240_000, read: overloadRemark },
];

/** Simulation, demo, kills and bench, as far as the command line has them. @param servers what runs; complete when the steps run. */
export function smokeSteps(program: Command, servers: { readonly environment: Readonly<Record<string, string>> }): readonly Step[] {
  return SMOKES.map(({ name, args, needs, timeoutMs, read }) => ({
    name,
    run: async (signal) => {
      const unknown = missingPart(program, args);
      if (unknown !== undefined) return notRun(name, `this command line has no \`${unknown}\``, 'build a checkout that has it');
      const missing = needs.find((server) => servers.environment[`WEFT_${server.toUpperCase()}`] === undefined);
      if (missing !== undefined) return notRun(name, `there is no ${missing}`, `set WEFT_${missing.toUpperCase()}=host:port to a server that runs`);
      const environment = { WEFT_HOME: inHome('test', 'home'), NO_COLOR: '1', ...servers.environment };
      const { code, stdout, output } = await runChild(process.execPath, [...process.execArgv, process.argv[1]!, ...args], { environment, timeoutMs, signal });
      if (code !== 0) return { status: 'failed', output: `\`weft ${args.join(' ')}\` ended with exit code ${code}:\n${output.trimEnd()}` };
      try {
        return { status: 'passed', remark: read(stdout) };
      } catch (fault) {
        return { status: 'failed', output: `\`weft ${args.join(' ')}\` printed what could not be understood (${String(fault)}): ${lastLines(stdout)}` };
      }
    },
  }));
}

function notRun(suite: string, why: string, remedy: string): StepOutcome {
  return { status: 'skipped', notRun: [{ suite, why, remedy }] };
}

/** The first word or option of a command line that the program does not know, or undefined. */
export function missingPart(program: Command, args: readonly string[]): string | undefined {
  let command = program;
  for (const word of args) {
    if (word.startsWith('--')) {
      if (!command.options.some(({ long }) => long === word)) return `${command.name()} ${word}`;
      continue;
    }
    const next = command.commands.find((each) => each.name() === word);
    if (next) command = next;
    else if (command === program || command.commands.length > 0) return word;
  }
  return undefined;
}

function demoRemark(stdout: string): string {
  const requests = JSON.parse(stdout) as readonly { readonly executionId: string; readonly audit: { readonly verified: boolean } }[];
  if (!Array.isArray(requests) || requests.length === 0) throw new Error('expected an array of requests');
  const unproven = requests.filter(({ audit }) => !audit.verified).length;
  if (unproven > 0) throw new Error(`${unproven} requests have no verified audit proof`);
  return `${requests.length} requests, each with a verified proof`;
}

function simulateRemark(stdout: string): string {
  const { seeds, violations, faultsPerSeed } = lastJson(stdout);
  if (violations !== 0) throw new Error(`expected no violation but got ${violations}`);
  return `${seeds} seeds, ${faultsPerSeed} faults each, no violation`;
}

function streamsRemark(stdout: string): string {
  const { broken, benignWell, billedOnce } = JSON.parse(stdout) as { broken: number; benignWell: number; billedOnce: number };
  return `${broken} streams broke as declared, ${benignWell} went well, ${billedOnce} billed once`;
}

function inferRemark(stdout: string): string {
  const { perSecond, overheadP50Ms } = JSON.parse(stdout) as { perSecond: number; overheadP50Ms: number };
  return `${perSecond} model calls/s, ${overheadP50Ms} ms over a direct call`;
}

function egressRemark(stdout: string): string {
  const { urls, connections } = JSON.parse(stdout) as { urls: number; connections: number };
  return `${urls} URLs, ${connections} connections`;
}

function failpointsRemark(stdout: string): string {
  const { runs, hit, lost, appliedTwice, effectsTwice, orphanTimers } = lastJson(stdout);
  if (hit !== runs || lost !== 0 || appliedTwice !== 0 || effectsTwice !== 0 || orphanTimers !== 0)
    throw new Error(
      `expected a death at each place and nothing lost or doubled but got ${hit} of ${runs} hit, lost ${lost}, appliedTwice ${appliedTwice}, effectsTwice ${effectsTwice}, orphanTimers ${orphanTimers}`,
    );
  return `${hit} deaths, each at its place; nothing lost or doubled`;
}

function crashRemark(stdout: string): string {
  const { completed, rerun, seconds } = benchReport(stdout);
  return `${completed} completed ${seconds} s after the start of the next process, ${rerun} jobs came again`;
}

function killsRemark(stdout: string): string {
  const { executions, kills, lost, appliedTwice, effectsTwice } = lastJson(stdout);
  if (lost !== 0 || appliedTwice !== 0 || effectsTwice !== 0) throw new Error(`expected nothing lost or doubled but got lost ${lost}, appliedTwice ${appliedTwice}, effectsTwice ${effectsTwice}`);
  return `${executions} executions, ${kills} kills, nothing lost or doubled`;
}

function agentsRemark(stdout: string): string {
  const { agents, kills, effects, violations } = lastJson(stdout);
  if (!Array.isArray(violations) || violations.length > 0) throw new Error(`expected every call once but got ${JSON.stringify(violations)}`);
  return `${agents} agents, ${kills} kills, ${effects} calls, each once`;
}

function permissionsRemark(stdout: string): string {
  const { attacks, unauthorised, killSwitchMs, violations } = lastJson(stdout);
  if (!Array.isArray(violations) || violations.length > 0) throw new Error(`expected nothing that nothing permits but got ${JSON.stringify(violations)}`);
  return `${attacks} attacks, ${unauthorised} unauthorised effects, killed within ${killSwitchMs} ms`;
}

function effectsRemark(stdout: string): string {
  const { faults, duplicates, blindRetries, falselyFailed } = lastJson(stdout);
  if (duplicates !== 0 || blindRetries !== 0 || falselyFailed !== 0)
    throw new Error(`expected no effect twice or told wrongly but got duplicates ${duplicates}, blindRetries ${blindRetries}, falselyFailed ${falselyFailed}`);
  return `${faults} lost answers, no effect twice`;
}

function budgetsRemark(stdout: string): string {
  const { calls, passed, kills, beyond } = lastJson(stdout);
  if (beyond !== 0) throw new Error(`expected no call beyond its cap but got ${beyond}`);
  return `${passed} of ${calls} calls passed, ${kills} kills, none beyond its cap`;
}

function chainRemark(stdout: string): string {
  const { perSecond, p50Ms, p99Ms } = benchReport(stdout);
  return `${perSecond} chains/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
}

function fanoutRemark(stdout: string): string {
  const { perSecond, p50Ms, p99Ms } = benchReport(stdout);
  return `${perSecond} forks of 20/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
}

function parkedRemark(stdout: string): string {
  const { timerLatenessP99Ms, signalP50Ms, resumedPerSecond } = benchReport(stdout);
  return `timers ${timerLatenessP99Ms} ms late at most (p99), signal to result ${signalP50Ms} ms (p50), ${resumedPerSecond} resumed/s`;
}

function growthRemark(stdout: string): string {
  const { sizes } = benchReport(stdout) as { readonly sizes: readonly { readonly executions: number; readonly perSecond: number }[] };
  return sizes.map(({ executions, perSecond }) => `${perSecond} chains/s beside ${executions}`).join(', ');
}

function overloadRemark(stdout: string): string {
  const { offered, served, refused, recoverySeconds } = benchReport(stdout);
  return `${offered} offered, ${served} served, ${refused} refused, well again after ${recoverySeconds} s`;
}

/** What a bench printed. Throws when the run is not what it claims. */
function benchReport(stdout: string): Readonly<Record<string, unknown>> {
  const report = lastJson(stdout);
  const { violations } = report;
  if (!Array.isArray(violations) || violations.length > 0) throw new Error(`violations: ${JSON.stringify(violations)}`);
  return report;
}

function lastJson(stdout: string): Readonly<Record<string, unknown>> {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Readonly<Record<string, unknown>>;
}
