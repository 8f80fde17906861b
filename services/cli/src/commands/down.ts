import { stopEmbedded } from '@weft/adapter-postgres';
import type { Command } from 'commander';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, lastRunFile, removeRunFile } from '../client/connection.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { printer } from '../output/print.js';
import { inHome } from '../paths.js';
import { stopLeftOver } from '../servers/process-server.js';
import { withExamples } from './command.js';

const STOP_MS = 40_000;

export function registerDown(program: Command): void {
  const command = program
    .command('down')
    .description('Stop Weft and the servers that it left running; data is kept')
    .option('--json', 'print JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const out = printer(json);
      const stopped: string[] = [];
      const file = lastRunFile();
      for (const pid of file ? [file.pid, ...(file.weftPid === undefined ? [] : [file.weftPid])] : []) {
        if (!isAlive(pid)) continue;
        out.progress(`stopping Weft (process ${pid})`);
        await stop(pid);
        if (!stopped.includes('weft')) stopped.push('weft');
      }
      removeRunFile();
      for (const home of homes()) {
        const of = home === '' ? '' : ` of ${home}`;
        if (existsSync(inHome(home, 'postgres')) && (await stopEmbedded(inHome(home, 'postgres')))) stopped.push(`postgres${of}`);
        for (const name of ['kafka', 'redis'] as const) if (await stopLeftOver(inHome(home, name))) stopped.push(`${name}${of}`);
      }
      out.data({ stopped }, () => (stopped.length === 0 ? 'Nothing was running.' : `Stopped: ${stopped.join(', ')}.`));
    });
  withExamples(command, [['./weft down', 'stops what runs; a later ./weft up goes on with the same data']]);
}

/** Folders below Weft's home that a command keeps servers in: one that was killed leaves them running. */
const homes = (): readonly string[] => ['', 'demo', 'bench', 'bench-mesh', ...foldersIn('bench-growth'), ...foldersIn('prove')];

const foldersIn = (name: string): readonly string[] => (existsSync(inHome(name)) ? readdirSync(inHome(name)).map((each) => join(name, each)) : []);

async function stop(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  for (const deadline = Date.now() + STOP_MS; isAlive(pid); await sleep(50)) {
    if (Date.now() > deadline) throw new CommandFailed(`Expected Weft (process ${pid}) to stop within ${STOP_MS / 1_000} s but it did not. Its log is in ${inHome('logs')}.`, EXIT.unavailable);
  }
}
