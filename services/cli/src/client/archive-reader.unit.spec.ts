import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archivesIn, readArchive, summaryOf, verifyArchive } from './archive-reader.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-archive-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const head = { type: 'archive', version: 1, createdAt: '2026-01-01T00:00:00Z', before: '2025-12-01T00:00:00Z', verifierKey: 'none' };
const member = { sequence: 0, tenant: 'default', recordedAtMs: 1, structure: '[]', payload: '[]', payloadSalt: '', payloadDigest: '', commitId: 'c' };
const execution = {
  type: 'execution',
  executionId: 'e',
  tenant: 'default',
  status: 'completed',
  definition: 'a/b:1',
  digest: 'd',
  request: { source: '/s', id: 'r', type: 't' },
  members: [member],
  proofs: [],
};
const end = { type: 'end', executions: 1 };

function fileOf(name: string, lines: readonly unknown[], cut = 0): string {
  const path = join(folder, `${name}.jsonl.gz`);
  const bytes = gzipSync(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  writeFileSync(path, bytes.subarray(0, bytes.length - cut));
  return path;
}

async function all(path: string): Promise<number> {
  let lines = 0;
  for await (const _line of readArchive(path)) lines++;
  return lines;
}

describe('an archive', () => {
  it('is summed up without holding it in memory', async () => {
    const path = fileOf('whole', [head, execution, end]);
    expect(await summaryOf(path)).toEqual({ file: path, createdAt: head.createdAt, before: head.before, executions: 1, decisions: 1, tenants: ['default'] });
    expect(archivesIn(folder)).toContain(path);
    expect(archivesIn(join(folder, 'none'))).toEqual([]);
  });

  it.each([
    ['that is not there', () => join(folder, 'gone'), /there is no such file/],
    ['that is cut off inside its gzip', () => fileOf('cut', [head, execution, end], 12), /cannot be unpacked/],
    ['without its end', () => fileOf('endless', [head, execution]), /but it is cut off/],
    ['with fewer executions than its end names', () => fileOf('fewer', [head, { ...end, executions: 2 }]), /2 executions but it has 0/],
    ['without its head', () => fileOf('headless', [execution, end]), /its head first/],
    ['of a later version', () => fileOf('later', [{ ...head, version: 2 }, end]), /version 1 but it is 2/],
    ['that is no JSON', () => fileOf('text', ['hello']), /a line of JSON but it is none/],
    ['with an execution of another form', () => fileOf('odd', [head, { type: 'execution' }, end]), /a line of type archive/],
  ])('%s is refused with a sentence', async (_, file, message) => {
    await expect(all(file())).rejects.toThrow(message);
  });

  it('is not verified where a decision has no proof', async () => {
    const verdict = await verifyArchive(fileOf('unproved', [head, execution, end]), 'key');
    expect(verdict).toMatchObject({ verified: false, executions: 1, decisions: 1, verifierKey: 'key', unproved: [{ executionId: 'e', reason: expect.stringContaining('not there yet') }] });
  });

  it('is not verified where a definition was changed, nor when it holds nothing', async () => {
    const changed = fileOf('changed', [head, { type: 'definition', tenant: 'default', digest: 'd', document: '{}' }, { ...end, executions: 0 }]);
    expect(await verifyArchive(changed)).toMatchObject({ verified: false, unproved: [{ reason: expect.stringContaining('was changed') }] });
    expect(await verifyArchive(fileOf('empty', [head, { ...end, executions: 0 }]))).toMatchObject({ verified: false });
  });
});
