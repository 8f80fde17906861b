#!/usr/bin/env node
// Judges the files of a run and prints the verdict as one line of JSON. Exit code: 0 clean, 1 violations, 2 the files cannot be judged.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { judge, type JudgedCase, type Switched } from './permissions-checker.js';
import { parseReceipts } from './receipt-file.js';

try {
  const { values } = parseArgs({ options: { cases: { type: 'string' }, switched: { type: 'string' }, receipts: { type: 'string' } } });
  if (!values.cases || !values.switched || !values.receipts) throw new Error('usage: permissions-checker.main.js --cases FILE.jsonl --switched FILE.json --receipts FILE.jsonl');
  const cases = readFileSync(values.cases, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JudgedCase);
  const verdict = judge(cases, JSON.parse(readFileSync(values.switched, 'utf8')) as Switched, parseReceipts(readFileSync(values.receipts, 'utf8')));
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  process.exitCode = verdict.violations.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`permissions-checker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
