#!/usr/bin/env node
// Judges the progress of a run and prints the verdict as one line of JSON. Exit code: 0 clean, 1 a bar was missed, 2 the file cannot be judged.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { judgeTakeover, type TakeoverInput } from './takeover-checker.js';

try {
  const { values } = parseArgs({ options: { input: { type: 'string' } } });
  if (!values.input) throw new Error('usage: takeover-checker.main.js --input FILE.json');
  const verdict = judgeTakeover(JSON.parse(readFileSync(values.input, 'utf8')) as TakeoverInput);
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  process.exitCode = verdict.missed.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`takeover-checker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
