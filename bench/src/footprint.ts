// Memory of processes as the kernel shares it out: the sum of PSS counts every page once.
import type { Pool } from '@weft/adapter-postgres';
import { readdirSync, readFileSync } from 'node:fs';
import { one } from './history-check.js';

/** KiB in the processes of Weft, and in those of PostgreSQL (its shared buffers included). */
export interface Footprint {
  readonly weftKib: number;
  readonly postgresKib: number;
}

/** Measures Weft by its process ids and PostgreSQL by the server behind a connection, each with all processes below it. */
export class FootprintMeter {
  private constructor(
    private readonly pids: readonly number[],
    private readonly postmaster: number,
  ) {}

  /** @throws Error when the server does not run on this machine: there is nothing to measure then. */
  static async of(pids: readonly number[], pool: Pool): Promise<FootprintMeter> {
    const backend = await one<number>(pool, 'select pg_backend_pid()');
    const postmaster = parents().get(backend);
    if (postmaster === undefined) throw new Error('Expected PostgreSQL to run on this machine, so that its memory can be measured, but its processes are not here.');
    return new FootprintMeter(pids, postmaster);
  }

  now(): Footprint {
    const parentOf = parents();
    const postgres = below(parentOf, [this.postmaster]);
    // An embedded server is a child of Weft: counted once, as PostgreSQL.
    const weft = [...below(parentOf, this.pids)].filter((pid) => !postgres.has(pid));
    return { weftKib: total(weft, 'Pss'), postgresKib: total([...postgres], 'Pss') };
  }

  /** Microseconds of CPU that the processes used since they started, those that ended left out. */
  cpuUs(): { readonly weft: number; readonly postgres: number } {
    const parentOf = parents();
    const postgres = below(parentOf, [this.postmaster]);
    const weft = [...below(parentOf, this.pids)].filter((pid) => !postgres.has(pid));
    return { weft: cpuUs(weft), postgres: cpuUs([...postgres]) };
  }

  /** Resident KiB of Weft's processes, without those of PostgreSQL. */
  weftRssKib(): number {
    const parentOf = parents();
    const postgres = below(parentOf, [this.postmaster]);
    return total(
      [...below(parentOf, this.pids)].filter((pid) => !postgres.has(pid)),
      'Rss',
    );
  }
}

function parents(): ReadonlyMap<number, number> {
  const parentOf = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name of the program, in parentheses, may hold spaces.
      parentOf.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  return parentOf;
}

function below(parentOf: ReadonlyMap<number, number>, roots: readonly number[]): ReadonlySet<number> {
  const found = new Set(roots);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parentOf) if (found.has(parent)) found.add(pid);
  }
  return found;
}

function total(pids: readonly number[], field: 'Pss' | 'Rss'): number {
  let kib = 0;
  for (const pid of pids) {
    try {
      kib += Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === 'EACCES') throw new Error(`Expected to read the memory of process ${pid} but it belongs to another user: run the bench as that user or as root.`);
      // It ended meanwhile.
    }
  }
  return kib;
}

// What the kernel counts in: a hundredth of a second, on every Linux that Node runs on.
const TICK_US = 10_000;

function cpuUs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks * TICK_US;
}
