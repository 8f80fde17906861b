import type { Command } from 'commander';
import { emptyHome, startDemoWeft } from '../demo/demo-weft.js';
import { runDemo, type Played } from '../demo/run-demo.js';
import { EXIT } from '../exit-codes.js';
import { colors, printer, type Printer } from '../output/print.js';
import { renderExecution, tasksOf } from '../output/timeline.js';
import { inHome } from '../paths.js';
import { interruptible } from '../processes/interruption.js';
import { startLocalWorld, type LocalWorld } from '../processes/local-world.js';
import { PROFILES, type Profile } from '../processes/profile.js';
import { oneOf, withExamples } from './command.js';

// Long enough to kill the process between a mail and its answer.
const MAIL_ANSWER_MS = 700;

export function registerDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('Run a handful of complaints through Weft: fallback, review, kill -9, audit proofs')
    .option('--profile <profile>', 'standalone: one process; mesh: one process a service', oneOf(PROFILES), 'standalone')
    .option('--json', 'print one JSON array with an entry for each request')
    .action(({ profile, json = false }: { profile: Profile; json?: boolean }) => {
      const out = printer(json);
      return interruptible(out.progress, (told) => demo(profile, out, told));
    });
  withExamples(command, [
    ['./weft demo', 'with a simulated model; needs nothing'],
    ['./weft demo --profile mesh', 'the same through Kafka, PostgreSQL and Redis'],
    ['WEFT_MODEL_ENDPOINT=https://host/v1 WEFT_MODEL=name WEFT_SECRET_MODEL=key ./weft demo', 'with a model provider of yours'],
  ]);
}

async function demo(profile: Profile, out: Printer, told: Promise<never>): Promise<void> {
  const startedAt = performance.now();
  const stops: (() => Promise<void>)[] = [];
  try {
    const home = inHome('demo');
    await emptyHome(home);
    const world = await startLocalWorld({ home, mailAnswerMs: MAIL_ANSWER_MS });
    stops.push(() => world.stop());
    out.progress(`models: ${world.modelsSaid}`);
    const weft = await startDemoWeft({ profile, home, env: world.env, onProgress: out.progress });
    stops.push(() => weft.stop());
    const played = await Promise.race([runDemo({ weft, world, onProgress: out.progress }), told]);
    const seconds = (performance.now() - startedAt) / 1_000;
    out.data(played.map(entryOf), () => textOf(played, world, seconds));
    if (played.some(({ problems }) => problems.length > 0)) process.exitCode = EXIT.failed;
  } finally {
    out.progress('stopping');
    for (const stop of stops.reverse()) await stop();
  }
}

/** A request as JSON. */
function entryOf({ scene, ended, traceId, problems }: Played): object {
  const { execution, route, timeline, audit, mails, isSimulated } = ended;
  return {
    request: scene.title,
    executionId: execution.executionId,
    status: execution.status,
    route,
    tasks: tasksOf(timeline),
    traceId,
    audit: { index: audit.index, treeSize: audit.treeSize, verified: audit.verified },
    ...(execution.output === undefined ? {} : { output: execution.output }),
    ...(execution.error === undefined ? {} : { error: execution.error }),
    mails,
    simulated: isSimulated,
    problems,
  };
}

function textOf(played: readonly Played[], { modelsSaid, isSimulated }: LocalWorld, seconds: number): string {
  const failed = played.filter(({ problems }) => problems.length > 0).length;
  return [
    `Models: ${isSimulated ? colors.magenta(modelsSaid) : modelsSaid}.`,
    ...played.map(sceneText),
    failed === 0 ? colors.green(`Everything held, for ${played.length} requests in ${seconds.toFixed(1)} s.`) : colors.red(`${failed} of ${played.length} requests did not end as they should.`),
  ].join('\n\n');
}

function sceneText({ scene, ended, problems }: Played, index: number): string {
  const { execution, timeline, route, audit, mails } = ended;
  const proof = audit.verified
    ? `${colors.green('proved')}: ${audit.decisions.length === 1 ? 'its decision is' : `its ${audit.decisions.length} decisions, the last`} in leaf ${audit.index} of the signed tree of ${audit.treeSize}`
    : colors.red('not proved');
  return [
    colors.bold(`${index + 1}  ${scene.title}`),
    colors.dim(scene.story),
    '',
    renderExecution(execution, timeline, route),
    `mails   ${mails}`,
    `audit   ${proof}`,
    ...problems.map((problem) => colors.red(`✗ ${problem}`)),
  ].join('\n');
}
