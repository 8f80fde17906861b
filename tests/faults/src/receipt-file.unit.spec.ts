import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReceiptFile, parseReceipts, type Receipt } from './receipt-file.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-receipts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const receipt = (number: number): Receipt => ({
  receipt: number,
  at: { monotonicNs: '1', wallMs: 1 },
  tool: 'übermitteln',
  key: `k${number}`,
  execution: 'e1',
  task: 't',
  iteration: '0',
  face: 'http',
  fault: null,
  bodySha256: '',
});

describe('the receipt file', () => {
  it('keeps concurrent appends in their order and gives them back when opened again', async () => {
    const path = join(folder, 'receipts.jsonl');
    const all = Array.from({ length: 100 }, (_, n) => receipt(n + 1));
    const first = await openReceiptFile(path);
    await Promise.all(all.map((one) => first.append(one)));
    expect(parseReceipts(readFileSync(path, 'utf8'))).toEqual(all);
    await first.close();
    const second = await openReceiptFile(path);
    expect(second.receipts).toEqual(all);
    await second.close();
  });

  it('stores what was appended before it was closed', async () => {
    const path = join(folder, 'receipts.jsonl');
    const file = await openReceiptFile(path);
    const appended = file.append(receipt(1));
    await file.close();
    await appended;
    expect(parseReceipts(readFileSync(path, 'utf8'))).toEqual([receipt(1)]);
  });

  it('rejects appends once a write has failed', async () => {
    const file = await openReceiptFile(join(folder, 'receipts.jsonl'));
    await file.close();
    await expect(file.append(receipt(1))).rejects.toThrow();
    await expect(file.append(receipt(2))).rejects.toThrow();
  });

  it('leaves out a torn last line, and refuses one further up', () => {
    const line = JSON.stringify(receipt(1));
    expect(parseReceipts(`${line}\n{"receipt":2,"to`)).toEqual([receipt(1)]);
    expect(() => parseReceipts(`{"receipt":2,"to\n${line}\n`)).toThrow('Expected a receipt in line 1');
    expect(() => parseReceipts('null\n')).toThrow('line 1');
  });
});
