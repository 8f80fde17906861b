import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ArchiveFile } from './archive-file.js';

const AT = new Date('2026-01-01T00:00:00.500Z');
const END = { type: 'end', executions: 0 } as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-archive-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function written(number: number): Promise<string> {
  const file = ArchiveFile.begin(folder, AT, number);
  await file.write(END);
  await file.close();
  return basename(file.path);
}

describe('an archive file', () => {
  it('has its name only when all of it is on the disk', async () => {
    const file = ArchiveFile.begin(folder, AT, 1);
    await file.write(END);
    expect(readdirSync(folder)).toEqual(['weft-20260101T000000Z-0001.jsonl.gz.part']);
    await file.close();
    expect(readdirSync(folder)).toEqual(['weft-20260101T000000Z-0001.jsonl.gz']);
    expect(JSON.parse(gunzipSync(readFileSync(file.path)).toString())).toEqual(END);
  });

  it('takes the place of no other that was made in the same second', async () => {
    expect([await written(1), await written(1), await written(1)]).toEqual(['weft-20260101T000000Z-0001.jsonl.gz', 'weft-20260101T000000Z-0002.jsonl.gz', 'weft-20260101T000000Z-0003.jsonl.gz']);
  });

  it('writes into none that another run is writing', () => {
    const [first, second] = [ArchiveFile.begin(folder, AT, 1), ArchiveFile.begin(folder, AT, 1)];
    expect(basename(second.path)).not.toBe(basename(first.path));
    second.discard();
    expect(readdirSync(folder)).toEqual([`${basename(first.path)}.part`]);
    first.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says what the disk says, and does not end the process', async () => {
    const file = ArchiveFile.begin(folder, AT, 1);
    await file.write(END);
    mkdirSync(file.path);
    writeFileSync(join(file.path, 'in the way'), '');
    await expect(file.close()).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(() => ArchiveFile.begin(join(folder, 'weft-20260101T000000Z-0001.jsonl.gz', 'in the way'), AT, 1)).toThrow(/ENOTDIR|EEXIST/);
  });
});
