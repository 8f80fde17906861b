#!/usr/bin/env node
// Judges the files of a run and prints the verdict as one line of JSON. Exit code: 0 clean, 1 violations, 2 the files cannot be judged.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { judge, type Attempt } from './egress-checker.js';
import type { Arrival } from './egress-outside.js';

try {
  const { values } = parseArgs({ options: { attempts: { type: 'string' }, arrivals: { type: 'string' } } });
  if (!values.attempts || !values.arrivals) throw new Error('usage: egress-checker.main.js --attempts FILE.jsonl --arrivals FILE.jsonl');
  const [attempts, arrivals] = [values.attempts, values.arrivals].map((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown),
  );
  const verdict = judge(attempts as Attempt[], arrivals as Arrival[]);
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  process.exitCode = verdict.violations.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`egress-checker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
