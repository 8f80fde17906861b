// The mesh as a user starts it: `weft up --profile mesh`, spoken to over HTTP and Kafka only.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CLI = join(ROOT, 'services', 'cli', 'dist', 'main.js');
const UP_MS_MAX = 120_000;

export interface MeshProcess {
  readonly url: string;
  readonly apiKey: string;
  /** Calls the gateway. */
  call<T>(path: string, init?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<{ status: number; body: T }>;
  stop(): Promise<void>;
}

export interface MeshFiles {
  readonly modelUrl: string;
  readonly otlpEndpoint: string;
  /** `host:port` of Kafka and Redis that run already. */
  readonly kafka: string;
  readonly redis: string;
}

export async function startMeshProcess({ modelUrl, otlpEndpoint, kafka, redis }: MeshFiles): Promise<MeshProcess> {
  const home = mkdtempSync(join(tmpdir(), 'weft-e2e-'));
  const files = join(ROOT, 'tests', 'e2e', 'mesh');
  writeFileSync(join(home, 'routes.yaml'), readFileSync(join(files, 'routes.yaml'), 'utf8').replaceAll('MODEL_SERVER', modelUrl));
  const port = await freePort();
  const env = {
    ...process.env,
    WEFT_ROOT: ROOT,
    WEFT_HOME: home,
    WEFT_KAFKA: kafka,
    WEFT_REDIS: redis,
    WEFT_OTLP_ENDPOINT: otlpEndpoint,
    WEFT_TOOLS_FILE: join(files, 'tools.yaml'),
    WEFT_GRANTS_FILE: join(files, 'grants.yaml'),
    WEFT_ROUTES_FILE: join(home, 'routes.yaml'),
    WEFT_EGRESS_ALLOW: modelUrl,
  };
  const child = spawn(process.execPath, [CLI, 'up', '--profile', 'mesh', '--port', String(port)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const run = await runFile(join(home, 'run', 'weft.json'), child, () => printed);
  return {
    ...run,
    call: async <T>(path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) => {
      const response = await fetch(`${run.url}${path}`, { ...init, headers: { authorization: `Bearer ${run.apiKey}`, ...init.headers } });
      return { status: response.status, body: (await response.json()) as T };
    },
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function runFile(path: string, child: ChildProcess, printed: () => string): Promise<{ url: string; apiKey: string }> {
  const until = Date.now() + UP_MS_MAX;
  while (Date.now() < until && child.exitCode === null) {
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as { url: string; apiKey: string };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGTERM');
  throw new Error(`the mesh did not come up; it printed:\n${printed().slice(-3_000)}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Path of kcat; installed from Debian's packages where that is possible. Undefined when it cannot be had. */
export function findKcat(): string | undefined {
  const which = (): string | undefined => {
    try {
      return execFileSync('sh', ['-c', 'command -v kcat || command -v kafkacat'], { encoding: 'utf8' }).trim() || undefined;
    } catch {
      return undefined;
    }
  };
  const found = which();
  if (found !== undefined || process.getuid?.() !== 0) return found;
  try {
    execFileSync('sh', ['-c', 'apt-get install -y -q kcat || (apt-get update -q && apt-get install -y -q kcat)'], {
      stdio: 'ignore',
      timeout: 180_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch {
    return undefined;
  }
  return which();
}
