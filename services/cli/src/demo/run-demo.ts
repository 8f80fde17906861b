// Runs the scenes: publishes their events, plays the person, kills the process, and gathers what came of each.
import { isJsonObject, type Json } from '@weft/kernel';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { publishEvent, readExecution, untilExecution } from '../client/executions.js';
import { decideReview, openReviews } from '../client/reviews.js';
import type { AcceptedShape } from '../client/shapes.js';
import { verifyExecution } from '../client/verify-execution.js';
import { CommandFailed } from '../exit-codes.js';
import { inRoot } from '../paths.js';
import { deployExamples } from '../processes/deploy-examples.js';
import type { LocalWorld } from '../processes/local-world.js';
import type { DemoWeft } from './demo-weft.js';
import { problemsOf, SCENES, type Ended, type Scene } from './scenes.js';

/** A scene that was played. */
export interface Played {
  readonly scene: Scene;
  readonly ended: Ended;
  readonly traceId: string;
  /** What did not hold; empty when everything did. */
  readonly problems: readonly string[];
}

export interface Stage {
  readonly weft: DemoWeft;
  readonly world: LocalWorld;
  readonly onProgress: (text: string) => void;
}

interface Published {
  readonly accepted: AcceptedShape;
  readonly isKilled: boolean;
}

const END_MS = 30_000;
const PROOF_MS = 15_000;
const POLL_MS = 10;
const EVENTS = ['examples', 'complaint-triage', 'events'];
const MEMORY = 'note-ada.json';

/** Plays all scenes. @throws CommandFailed when the stage cannot be set. */
export async function runDemo(stage: Stage): Promise<readonly Played[]> {
  const { weft, onProgress } = stage;
  // Events of one run belong together and never meet those of an earlier one.
  const run = Date.now().toString(36);
  const refused: string[] = [];
  await deployExamples(weft.client(), (sentence) => refused.push(sentence));
  if (refused.length > 0) throw new CommandFailed(refused.join('\n'));
  onProgress('remembering something about a customer');
  const note = await publishEvent(weft.client(), eventText(MEMORY, run), 20);
  if (note.status !== 'completed') throw new CommandFailed(`Expected the customer's note to be remembered but it is ${note.status}: ${JSON.stringify(note.error ?? null)}`);

  const person = playPerson(stage);
  try {
    const calm = SCENES.filter(({ isInterrupted }) => !isInterrupted);
    onProgress(`publishing ${calm.length} complaints`);
    const published = new Map<Scene, Published>();
    for (const scene of calm) published.set(scene, { accepted: await publishEvent(weft.client(), eventText(scene.event, run)), isKilled: false });
    for (const { accepted } of published.values()) await untilExecution(weft.client(), accepted.executionId, () => false, END_MS);
    for (const scene of SCENES.filter(({ isInterrupted }) => isInterrupted)) published.set(scene, await interrupted(stage, scene, run));
    onProgress('verifying the audit proofs');
    return await Promise.all(SCENES.map((scene) => gather(stage, scene, published.get(scene)!)));
  } finally {
    await person.leave();
  }
}

/** Publishes, kills the process once the mail has left, and waits for the end. @returns whether there was a moment to kill it in. */
async function interrupted({ weft, world, onProgress }: Stage, scene: Scene, run: string): Promise<Published> {
  const accepted = await publishEvent(weft.client(), eventText(scene.event, run));
  const { executionId } = accepted;
  const ending = untilExecution(weft.client(), executionId, () => false, END_MS);
  let hasEnded = false;
  void ending.then(
    () => (hasEnded = true),
    // The process that is asked may be the one that is killed.
    () => undefined,
  );
  while (!hasEnded && mailsFor(world.mailFile, executionId) === 0) await sleep(POLL_MS);
  if (hasEnded) return { accepted, isKilled: false };
  onProgress(`the mail is out and its answer still on the way: kill -9 of ${weft.victim}`);
  await weft.interrupt();
  onProgress('started again; waiting for the execution to resume');
  await untilExecution(weft.client(), executionId, () => false, END_MS);
  return { accepted, isKilled: true };
}

async function gather({ weft, world }: Stage, scene: Scene, { accepted, isKilled }: Published): Promise<Played> {
  const { executionId, traceId } = accepted;
  const audit = await verifyExecution(weft.client(), executionId, { waitMs: PROOF_MS });
  const whole = await readExecution(weft.client(), executionId);
  const ended: Ended = { ...whole, audit, mails: mailsFor(world.mailFile, executionId), isSimulated: world.isSimulated, isKilled };
  return { scene, ended, traceId: whole.execution.traceId || traceId, problems: problemsOf(scene, ended) };
}

/** Approves every review that opens, as a person would, until told to leave. */
function playPerson({ weft, onProgress }: Stage): { leave(): Promise<void> } {
  const away = new AbortController();
  const work = (async () => {
    while (!away.signal.aborted) {
      try {
        for (const { reviewId, title, kind } of await openReviews(weft.client())) {
          if (kind !== 'approval') continue;
          onProgress(`a person is asked: ${title} The demo approves, in the place of a person.`);
          await decideReview(weft.client(), reviewId, { outcome: 'approved', comment: 'Approved by the demo, in the place of a person.' });
        }
      } catch (fault) {
        // While the process is down nobody answers; a review that is decided twice is no trouble.
        if (!(fault instanceof CommandFailed)) throw fault;
      }
      await sleep(150, undefined, { signal: away.signal }).catch(() => undefined);
    }
  })();
  return {
    leave: async () => {
      away.abort();
      await work;
    },
  };
}

function eventText(name: string, run: string): string {
  const event = JSON.parse(readFileSync(inRoot(...EVENTS, name), 'utf8')) as { readonly id: string };
  return JSON.stringify({ ...event, id: `${event.id}-${run}` });
}

/** Mails that left for an execution, as the provider wrote them down. */
export function mailsFor(file: string, executionId: string): number {
  if (!existsSync(file)) return 0;
  const lines = readFileSync(file, 'utf8').split('\n');
  // The last line may still be on its way into the file.
  return lines.slice(0, -1).filter((line) => {
    const receipt = JSON.parse(line) as Json;
    return isJsonObject(receipt) && receipt['execution'] === executionId;
  }).length;
}
