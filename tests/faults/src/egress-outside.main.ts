#!/usr/bin/env node
// Prints {"url", "sinkPort", "dns"} as one line when ready; SIGTERM or SIGINT closes it.
import { parseArgs } from 'node:util';
import { startEgressOutside } from './egress-outside.js';

const { values } = parseArgs({ options: { file: { type: 'string' } } });
if (!values.file) {
  process.stderr.write('usage: egress-outside.main.js --file FILE\n');
  process.exitCode = 2;
} else {
  const outside = await startEgressOutside(values.file);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void outside.close());
  const { url, sinkPort, dns } = outside;
  process.stdout.write(`${JSON.stringify({ url, sinkPort, dns })}\n`);
}
