// The server process of a data folder, as the file says that PostgreSQL keeps there.
import { spawnSync } from 'node:child_process';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Process id of the server that runs on the data folder, if one does. */
export function postmasterOf(data: string): number | undefined {
  const pid = pidIn(readPidFile(data));
  return pid !== undefined && runsOn(pid, data) ? pid : undefined;
}

/**
 * Whether the process is a server on this folder. Pids are reused: after a crash the file may name a process of somebody else,
 * and a dead process whose parent does not reap it still has its pid.
 */
export function runsOn(pid: number, data: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes('postgres');
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === data;
  } catch (fault) {
    // Not ours to look into (EACCES): the command line is public.
    return (fault as NodeJS.ErrnoException).code === 'EACCES' && commandOf(pid).includes(data);
  }
}

/**
 * Removes the file of a server that is gone. PostgreSQL does so itself unless the pid lives on in another process of the same user.
 * Removing the file of a live server would let a second one in: what was taken is checked again and put back if it is another.
 */
export function removeStalePidFile(data: string): void {
  const seen = readPidFile(data);
  const pid = pidIn(seen);
  if (seen === undefined || (pid !== undefined && runsOn(pid, data))) return;
  const file = join(data, 'postmaster.pid');
  const taken = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, taken);
  } catch {
    return;
  }
  if (readFileSync(taken, 'utf8') !== seen) linkSync(taken, file);
  rmSync(taken, { force: true });
}

function readPidFile(data: string): string | undefined {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault;
  }
}

function pidIn(file: string | undefined): number | undefined {
  const pid = Number(file?.split('\n', 1)[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
