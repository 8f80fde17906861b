#!/usr/bin/env node
// Judges the files of a run of lost answers and prints the verdict as one line of JSON. Exit code: 0 clean, 1 violations, 2 the files cannot be judged.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isCleanOfEffects, judgeEffects, type EffectsInput } from './effects-checker.js';
import { parseReceipts } from './receipt-file.js';

try {
  const { values } = parseArgs({ options: { input: { type: 'string' }, receipts: { type: 'string' } } });
  const { input, receipts } = values;
  if (!input || !receipts) throw new Error('usage: effects-checker.main.js --input FILE.json --receipts FILE.jsonl');
  const { tools, asked } = JSON.parse(readFileSync(input, 'utf8')) as Partial<EffectsInput>;
  if (!Array.isArray(tools) || !Array.isArray(asked)) throw new Error('Expected lists tools and asked, but one is missing');
  const verdict = judgeEffects({ tools, asked, receipts: parseReceipts(readFileSync(receipts, 'utf8')) });
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  process.exitCode = isCleanOfEffects(verdict) ? 0 : 1;
} catch (error) {
  process.stderr.write(`effects-checker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
