// Recorded histories. How they fold is for ever: a file is never edited, a change of an event is a new event version.
// What the interpreter decides may change: then the new history is recorded beside the old one.
import type { Json } from '@weft/kernel';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decidedBy, type Running } from '../interpreter/running.testing.js';
import { THIS_RELEASE } from '../upgrade/engine-flags.js';
import { decodeEvents, encodeEvents, type StoredEvents } from './event.codec.js';
import { evolveExecution, foldExecution } from './execution.evolve.js';
import { initialExecution, type ExecutionState } from './execution.state.js';
import { HISTORIES } from './histories.testing.js';

const folder = fileURLToPath(new URL('../../histories/', import.meta.url));
const recordCommand = (name: string): string => `RECORD_HISTORY=${name} npx vitest run services/orchestration/core/src/execution/histories.replay.spec.ts`;

/** A line for each history row as it is stored, then one with the state that they fold to. */
interface Recorded {
  readonly rows: readonly StoredEvents[];
  readonly state: Readonly<Record<string, Json>>;
}

function read(file: string): Recorded {
  const lines = readFileSync(folder + file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, Json>);
  const state = lines.pop() as { readonly state: Readonly<Record<string, Json>> };
  return { rows: lines.map(({ structure, payload }) => ({ structure: JSON.stringify(structure), payload: JSON.stringify(payload) })), state: state.state };
}

/** @param known fields of the state that are compared; a later release may have added some. */
function textOf(run: Running, known: readonly string[] = Object.keys(run.state)): string {
  const rows = run.rows.map((events) => {
    const { structure, payload } = encodeEvents(events, run.executionId);
    return { structure: JSON.parse(structure) as Json, payload: JSON.parse(payload) as Json };
  });
  const state = Object.fromEntries(Object.entries(run.state).filter(([field]) => known.includes(field)));
  return [...rows, { state }].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Files of a history, oldest first: `NAME.1.jsonl`, `NAME.2.jsonl` ... */
const filesOf = (name: string): readonly string[] =>
  readdirSync(folder)
    .filter((file) => new RegExp(`^${name}\\.\\d+\\.jsonl$`).test(file))
    .sort((left, right) => Number(left.split('.')[1]) - Number(right.split('.')[1]));

/** The folded state in the fields that the golden knows: a later release may have added some. */
function folded({ rows, state }: Recorded, through: (row: StoredEvents) => StoredEvents = (row) => row): Partial<ExecutionState> {
  const now = rows.flatMap((row) => decodeEvents(through(row), String(state.executionId))).reduce(evolveExecution, initialExecution);
  return JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(now).filter(([field]) => field in state)))) as Partial<ExecutionState>;
}

const toRecord = process.env['RECORD_HISTORY'];
if (toRecord !== undefined) {
  it(`records ${toRecord}`, () => {
    const run = HISTORIES[toRecord];
    if (!run) return expect.fail(`Expected one of ${Object.keys(HISTORIES).join(', ')} but got ${toRecord}.`);
    const number = filesOf(toRecord).length + 1;
    writeFileSync(`${folder}${toRecord}.${number}.jsonl`, textOf(run()), { flag: 'wx' });
  });
}

describe('a recorded history', () => {
  const files = readdirSync(folder).sort();

  it.each(files)('folds to the state that was recorded: %s', (file) => {
    const recorded = read(file);
    expect(folded(recorded), `${file} folds to another state. Histories of this form are stored: give a changed event a new type and leave this one's meaning alone.`).toEqual(recorded.state);
  });

  it.each(files)('folds to the same state at once and by one event after the other, and leaves the state before alone: %s', (file) => {
    const recorded = read(file);
    const rows = recorded.rows.map((row) => decodeEvents(row, String(recorded.state.executionId)));
    let stepwise = initialExecution;
    for (const events of rows) {
      const before = structuredClone(stepwise);
      const atOnce = foldExecution(stepwise, events);
      expect(stepwise).toEqual(before);
      stepwise = events.reduce(evolveExecution, stepwise);
      expect(atOnce).toEqual(stepwise);
    }
  });

  it.each(files)('folds without its payloads to the same structure: %s', (file) => {
    const recorded = read(file);
    const erased = folded(recorded, ({ structure }) => ({ structure, payload: null }));
    const steering = ({ status, jobs = {}, timers = {}, reviews = {}, listens = {}, signals = {}, branches = {}, activations = {}, generations }: Partial<ExecutionState>): object => ({
      status,
      jobs: Object.values(jobs).map(({ id, generation, attempt, asked }) => [id, generation, attempt, asked]),
      timers,
      reviews: Object.keys(reviews),
      listens: Object.values(listens).map(({ id, key, eventType, correlation }) => [id, key, eventType, correlation]),
      signals: Object.keys(signals),
      branches: Object.keys(branches),
      activations: Object.keys(activations),
      generations,
    });
    expect(steering(erased)).toEqual(steering(folded(recorded)));
  });
});

/** Under the flags that a history was started with: what the engine does otherwise since is no concern of it. */
function decidedLike(name: string, { state }: Recorded): Running {
  const flags = (state['flags'] ?? []) as readonly number[];
  return decidedBy({ ...THIS_RELEASE, starts: flags }, HISTORIES[name]!);
}

const flagsOf = (file: string): string => JSON.stringify(read(file).state['flags'] ?? []);

/** The newest file of each set of flags that a history was recorded under. */
const newestOf = (name: string): readonly string[] => [...new Map(filesOf(name).map((file) => [flagsOf(file), file])).values()];

/** A history without its flags: two that are the same then were decided alike. */
const alike = (text: string): string => text.replace(/,"flags":\[[\d,]*\]/g, '');

describe('the interpreter', () => {
  it.each(Object.keys(HISTORIES))('decides as in the newest recording under each set of flags: %s', (name) => {
    const newest = newestOf(name);
    if (newest.length === 0) return expect.fail(`Expected a recording of ${name} but there is none. Add it with: ${recordCommand(name)}`);
    for (const file of newest) {
      const recorded = read(file);
      const decided = textOf(decidedLike(name, recorded), Object.keys(recorded.state));
      expect(
        decided,
        `${file} was decided otherwise. If executions that run must not notice it, put it behind an engine flag (docs/upgrades.md); else add the new history beside it with: ${recordCommand(name)}`,
      ).toBe(readFileSync(folder + file, 'utf8'));
    }
  });

  it.each(Object.keys(HISTORIES))('has a recording of what the flags of this release change: %s', (name) => {
    const run = HISTORIES[name]!();
    const known = newestOf(name).map((file) => [alike(textOf(run, [...Object.keys(read(file).state), 'flags'])), alike(readFileSync(folder + file, 'utf8'))]);
    expect(
      known.some(([decided, recorded]) => decided === recorded),
      `${name} is decided otherwise under the flags of this release. Add it with: ${recordCommand(name)}`,
    ).toBe(true);
  });
});
