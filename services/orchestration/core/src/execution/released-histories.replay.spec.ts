// What each release has stored: a list of the recorded histories that it had, by digest. They are there, as they were, for ever; that
// each folds to the state in its last line is the business of `histories.replay.spec.ts`.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ENGINE_FLAGS, THIS_RELEASE } from '../upgrade/engine-flags.js';

const histories = fileURLToPath(new URL('../../histories/', import.meta.url));
const releases = fileURLToPath(new URL('../../releases/', import.meta.url));

interface Release {
  /** Engine flags of the executions that it starts. */
  readonly flags: readonly number[];
  /** SHA-256 by file. */
  readonly histories: Readonly<Record<string, string>>;
}

const digestOf = (file: string): string =>
  createHash('sha256')
    .update(readFileSync(histories + file))
    .digest('hex');
const read = (file: string): Release => JSON.parse(readFileSync(releases + file, 'utf8')) as Release;

const toRecord = process.env['RECORD_RELEASE'];
if (toRecord !== undefined) {
  it(`records release ${toRecord}`, () => {
    expect(toRecord).toMatch(/^\d+\.\d+\.\d+$/);
    const files = readdirSync(histories).toSorted();
    const release: Release = { flags: THIS_RELEASE.starts, histories: Object.fromEntries(files.map((file) => [file, digestOf(file)])) };
    mkdirSync(releases, { recursive: true });
    writeFileSync(`${releases}${toRecord}.json`, `${JSON.stringify(release, undefined, 2)}\n`, { flag: 'wx' });
  });
}

describe('a release', () => {
  const files = readdirSync(releases).toSorted();

  it.each(files)('has its histories for ever, as it stored them: %s', (file) => {
    const there = new Set(readdirSync(histories));
    const now = Object.fromEntries(Object.keys(read(file).histories).map((name) => [name, there.has(name) ? digestOf(name) : 'gone']));
    expect(now, `${file} was released with these histories: bring them back as they were, and add new ones beside them.`).toEqual(read(file).histories);
  });

  it.each(files)('has no engine flag that was taken out since: %s', (file) => {
    const known = ENGINE_FLAGS.map(({ number }) => number);
    expect(read(file).flags.filter((flag) => !known.includes(flag))).toEqual([]);
  });
});
