#!/usr/bin/env node
// Judges the files of a run and prints the verdict as one line of JSON. Exit code: 0 clean, 1 violations, 2 the files cannot be judged.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { judgeStreams, type ModelLine, type StreamCase, type StreamSeen } from './streams-checker.js';

try {
  const { values } = parseArgs({ options: { cases: { type: 'string' }, seen: { type: 'string' }, models: { type: 'string' } } });
  if (!values.cases || !values.seen || !values.models) throw new Error('usage: streams-checker.main.js --cases FILE.jsonl --seen FILE.jsonl --models FILE.jsonl');
  const [cases, seen, models] = [values.cases, values.seen, values.models].map((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown),
  );
  const verdict = judgeStreams(cases as StreamCase[], seen as StreamSeen[], models as ModelLine[]);
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  process.exitCode = verdict.violations.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`streams-checker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
