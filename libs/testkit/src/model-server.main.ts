#!/usr/bin/env node
// node model-server.main.js --port N --script FILE.json [--record FILE]: prints {"url": ...} when ready; SIGTERM or SIGINT closes it.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startModelServer } from './model-server.js';
import { parseModelScript } from './read-model-script.js';

try {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '0' }, script: { type: 'string' }, record: { type: 'string' } } });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`Expected --port to be from 0 to 65535, but got ${values.port}`);
  if (!values.script) throw new Error('Expected --script FILE.json, but it is missing');
  const script = parseModelScript(JSON.parse(readFileSync(values.script, 'utf8')));
  const server = await startModelServer({ port, script, ...(values.record === undefined ? {} : { recordFile: values.record }) });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close());
  process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
} catch (error) {
  process.stderr.write(`model-server: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
