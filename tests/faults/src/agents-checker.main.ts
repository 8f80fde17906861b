#!/usr/bin/env node
// Judges the files of a run of agents and prints the verdict as one line of JSON. Exit code: 0 clean, 1 violations, 2 the files cannot be judged.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isCleanOfAgents, judgeAgents, type AgentsInput } from './agents-checker.js';
import { parseReceipts } from './receipt-file.js';

try {
  const { values } = parseArgs({ options: { input: { type: 'string' }, receipts: { type: 'string' } } });
  const { input, receipts } = values;
  if (!input || !receipts) throw new Error('usage: agents-checker.main.js --input FILE.json --receipts FILE.jsonl');
  const given = JSON.parse(readFileSync(input, 'utf8')) as Partial<AgentsInput>;
  const { asked, results, idempotent } = given;
  if (!Array.isArray(asked) || !Array.isArray(results) || !Array.isArray(idempotent)) throw new Error('Expected lists asked, results and idempotent, but one is missing');
  const verdict = judgeAgents({ asked, results, idempotent, receipts: parseReceipts(readFileSync(receipts, 'utf8')) });
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  process.exitCode = isCleanOfAgents(verdict) ? 0 : 1;
} catch (error) {
  process.stderr.write(`agents-checker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
