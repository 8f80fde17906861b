import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

// A process of its own: exit codes and signals cannot be shown inside the test runner.
const platform = new URL('../../dist/index.js', import.meta.url).href;
const main = (extra: { compose?: string; inModule?: string } = {}): string => `
  import { Module } from '@nestjs/common';
  import { loadConfig, platformSettings, runService, Shutdown } from ${JSON.stringify(platform)};
  import { z } from 'zod';
  class Service { constructor(shutdown) { ${extra.inModule ?? ''} } }
  Reflect.defineMetadata('design:paramtypes', [Shutdown], Service);
  Module({})(Service);
  const schema = z.object({ ...platformSettings, WEFT_PORT: z.coerce.number().default(0).describe('Port.'), WEFT_STORE: z.string().default('x').describe('Store.') });
  await runService('probe', () => {
    const config = loadConfig(schema, process.env);
    ${extra.compose ?? ''}
    return { service: 'probe', module: Service, config, http: { port: config.WEFT_PORT } };
  });
`;

interface Started {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
  readonly code: Promise<number | null>;
}

const started: Started[] = [];
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});

function start(source: string, env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    const parts = `${rest}${chunk.toString()}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as Record<string, unknown>));
  });
  const process_: Started = { child, lines, code: once(child, 'close').then(([code]) => code as number | null) };
  started.push(process_);
  return process_;
}

const said = ({ lines }: Started, message: string) => expect.poll(() => lines.map((line) => line['message']), { timeout: 10_000 }).toContain(message);

describe('runService', () => {
  it('drains on SIGTERM and exits with 0', async () => {
    const service = start(main({ inModule: `shutdown.on('work', 'lanes', () => new Promise((resolve) => setTimeout(resolve, 100)));` }));
    await said(service, 'ready');
    service.child.kill('SIGTERM');
    expect(await service.code).toBe(0);
    expect(service.lines.map((line) => line['message'])).toEqual(['ready', 'draining', 'stopped']);
    expect(service.lines.at(-1)?.['ms']).toBeGreaterThanOrEqual(95);
  });

  it('exits at once on a second signal', async () => {
    const service = start(main({ inModule: `shutdown.on('work', 'lanes', () => new Promise(() => undefined));` }));
    await said(service, 'ready');
    service.child.kill('SIGINT');
    await said(service, 'draining');
    service.child.kill('SIGINT');
    expect(await service.code).toBe(130);
  });

  it('shows all faults of the configuration and exits with 1', async () => {
    const service = start(main(), { WEFT_PORT: 'http', WEFT_TRACE_RATIO: '2' });
    expect(await service.code).toBe(1);
    expect(service.lines).toHaveLength(1);
    expect(service.lines[0]).toMatchObject({
      level: 'fatal',
      message: expect.stringContaining('The configuration has 2 faults'),
      faults: [{ variable: 'WEFT_TRACE_RATIO' }, { variable: 'WEFT_PORT' }],
    });
  });

  it('logs a failed start and exits with 1', async () => {
    const service = start(main({ inModule: `throw new Error('no store');` }));
    expect(await service.code).toBe(1);
    expect(service.lines.at(-1)).toMatchObject({ level: 'fatal', message: 'the start failed', error: { message: 'no store' } });
  });

  it('logs an error that nobody caught and exits with 1', async () => {
    const service = start(main({ inModule: `setTimeout(() => { throw new Error('out of nowhere'); }, 300);` }));
    expect(await service.code).toBe(1);
    expect(service.lines.at(-1)).toMatchObject({ level: 'fatal', message: 'an exception that nobody caught', error: { message: 'out of nowhere' } });
  });
});
