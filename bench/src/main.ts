// Runs one workload in a process of its own and prints one JSON line. `./weft bench` starts it.
import { parseArgs } from 'node:util';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChain } from './chain.js';
import { openMesh } from './mesh-target.js';
import { openStandalone } from './standalone-target.js';

const { values } = parseArgs({
  options: { profile: { type: 'string', default: 'standalone' }, count: { type: 'string', default: '2000' }, concurrency: { type: 'string', default: '64' }, home: { type: 'string', default: '' } },
});
const files = join(dirname(fileURLToPath(import.meta.url)), '..', 'chain');
const env = process.env;

const target =
  values.profile === 'mesh'
    ? await openMesh(files, { brokers: (env['WEFT_KAFKA'] ?? '').split(','), storeUrl: env['WEFT_STORE_URL'] ?? '', gatewayUrl: env['WEFT_URL'] ?? '', apiKey: env['WEFT_API_KEY'] ?? '' })
    : await openStandalone(files, values.home);
try {
  const report = await runChain(target, { count: Number(values.count), concurrency: Number(values.concurrency), onProgress: progress(Number(values.count)) });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (report.violations.length > 0) process.exitCode = 1;
} finally {
  await target.close();
}

function progress(count: number): (done: number) => void {
  const step = Math.max(1, Math.floor(count / 10));
  return (done) => {
    if (done % step === 0) process.send?.({ type: 'progress', done, count });
  };
}
