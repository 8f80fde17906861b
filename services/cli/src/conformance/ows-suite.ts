// The conformance suite of the Open Workflow Specification: each scenario as an execution of one Weft, judged by its sentences.
import { parseDocument } from 'yaml';
import { deployDefinition, readExecution, untilExecution } from '../client/executions.js';
import { isEnded } from '../client/shapes.js';
import { CommandFailed } from '../exit-codes.js';
import { tasksOf } from '../output/timeline.js';
import { withThrowAwayWeft, type ThrowAwayWeft } from '../run/throw-away-weft.js';
import type { Scenario } from './feature-file.js';
import { doDeed, runsOf } from './deeds.js';
import { objectionsTo, refusalOf, runOf, type ScenarioRun } from './ows-steps.js';
import { startSuiteWorld } from './suite-world.js';

export interface ScenarioResult {
  readonly feature: string;
  readonly scenario: string;
  readonly passed: boolean;
  /** Why it did not pass. */
  readonly reasons: readonly string[];
}

const SCENARIO_MS_MAX = 30_000;

export async function runOwsSuite(scenarios: readonly Scenario[], onProgress: (text: string) => void, told?: Promise<never>): Promise<readonly ScenarioResult[]> {
  const world = await startSuiteWorld();
  try {
    const planned = scenarios.map((scenario, i): Planned => {
      const run = runOf(scenario);
      return { scenario, ...run, definition: renamed(world.localised(run.definition), i), others: run.others.map(world.localised) };
    });
    return await withThrowAwayWeft(
      [...planned.map(({ definition }) => definition), ...planned.flatMap(({ others }) => others)],
      onProgress,
      async (weft) => {
        const results: ScenarioResult[] = [];
        // One after the other: what a scenario says about order must not depend on its neighbours.
        for (const [i, plan] of planned.entries()) {
          const reasons = await objections(weft, plan, i);
          results.push({ feature: plan.scenario.feature, scenario: plan.scenario.name, passed: reasons.length === 0, reasons });
        }
        return results;
      },
      world.settings,
      told,
    );
  } finally {
    await world.stop();
  }
}

/** A scenario with its documents as they are deployed. */
interface Planned extends ScenarioRun {
  readonly scenario: Scenario;
}

async function objections({ client, start }: ThrowAwayWeft, { scenario, definition, input, others, deeds }: Planned, index: number): Promise<readonly string[]> {
  const refusal = refusalOf(scenario);
  try {
    for (const other of others) await deployDefinition(client, other);
    await deployDefinition(client, definition);
    if (refusal !== undefined) return [`expected the definition to be refused with ${JSON.stringify(refusal)} but it was taken`];
    const id = await start(index, input);
    for (const deed of deeds) await doDeed(client, id, deed);
    const ended = await untilExecution(client, id, ({ status }) => isEnded(status), SCENARIO_MS_MAX);
    const { timeline } = await readExecution(client, id);
    return objectionsTo(scenario, { execution: ended, tasks: tasksOf(timeline).map(({ task }) => task), runs: runsOf(timeline) });
  } catch (fault) {
    if (!(fault instanceof CommandFailed)) throw fault;
    return refusal !== undefined && fault.message.includes(refusal) ? [] : [fault.message];
  }
}

/** Scenarios give several workflows one name and version; each gets a name of its own. */
function renamed(definition: string, index: number): string {
  const document = parseDocument(definition);
  document.setIn(['document', 'name'], `${String(document.getIn(['document', 'name'])).slice(0, 50)}-${index}`);
  return document.toString({ lineWidth: 0 });
}
