#!/usr/bin/env node
// Judges the files of a run and prints the verdict as one line of JSON. Exit code: 0 clean, 1 violations, 2 the files cannot be judged.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isClean, judge } from './kills-checker.js';
import { parseKillsInput } from './kills-input.js';

try {
  const { values } = parseArgs({ options: { input: { type: 'string' }, results: { type: 'string' }, receipts: { type: 'string' } } });
  const { input, results, receipts } = values;
  if (!input || !results || !receipts) throw new Error('usage: kills-checker.main.js --input FILE.json --results FILE.jsonl --receipts FILE.jsonl');
  const [inputText, resultsText, receiptsText] = [input, results, receipts].map((path) => readFileSync(path, 'utf8'));
  const verdict = judge(parseKillsInput({ input: inputText!, results: resultsText!, receipts: receiptsText! }));
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  process.exitCode = isClean(verdict) ? 0 : 1;
} catch (error) {
  process.stderr.write(`kills-checker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
