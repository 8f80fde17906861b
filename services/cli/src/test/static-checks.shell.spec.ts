import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { differencesBetween } from './static-checks.js';

describe('differencesBetween', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'weft-differences-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('names what is missing, what is too much and what differs, in nested folders too', async () => {
    for (const side of ['expected', 'actual']) await mkdir(join(folder, side, 'v1'), { recursive: true });
    await writeFile(join(folder, 'expected', 'v1', 'same.ts'), 'a');
    await writeFile(join(folder, 'actual', 'v1', 'same.ts'), 'a');
    await writeFile(join(folder, 'expected', 'v1', 'edited.ts'), 'a');
    await writeFile(join(folder, 'actual', 'v1', 'edited.ts'), 'b');
    await writeFile(join(folder, 'expected', 'new.ts'), 'a');
    await writeFile(join(folder, 'actual', 'old.ts'), 'a');
    expect(await differencesBetween(join(folder, 'expected'), join(folder, 'actual'))).toEqual(['new.ts is missing', 'old.ts comes from no proto file', `${join('v1', 'edited.ts')} differs`]);
  });
});
