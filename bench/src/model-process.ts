// The scripted model in a process of its own: what is measured is not the model.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ModelProcess {
  /** Without a path. */
  readonly url: string;
  /** Requests that it has received, by its own count. */
  received(): Promise<number>;
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../libs/testkit/dist/model-server.main.js', import.meta.url));

export async function openModel(): Promise<ModelProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bench-model-'));
  const script = join(folder, 'script.json');
  writeFileSync(script, JSON.stringify({ rules: [{ answer: { content: 'A weft is the thread that runs through all the others.' } }] }));
  const child = spawn(process.execPath, [MAIN, '--script', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => reject(new Error(`Expected the scripted model to start but it ended with ${code}.`)));
    child.stdout.once('data', (line: Buffer) => resolve((JSON.parse(line.toString()) as { url: string }).url));
  });
  return {
    url,
    received: async () => ((await (await fetch(`${url}/__requests?kept=0`)).json()) as { total: number }).total,
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
