import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { Fault } from '@weft/pipeline';
import { canReach, serverUser, type ServerUser } from './server-user.js';

/** Where an embedded server keeps its things, and who it runs as. */
export interface Layout {
  readonly root: string;
  readonly data: string;
  readonly log: string;
  /** Folder of the unix socket. */
  readonly socket: string;
  readonly user: ServerUser;
  /** Whether `root` stands in for the folder that was asked for. */
  readonly moved: boolean;
}

// The path of a unix socket holds at most 107 bytes on Linux and 103 on macOS; the file is `.s.PGSQL.5432`.
const SOCKET_FOLDER_BYTES_MAX = 103 - '/.s.PGSQL.5432'.length;
// Root's own folders are closed to the server's user, and are not ours to open.
const ROOT_HOME = '/var/lib/weft';

/** @param asked the folder to use. When the server's user cannot reach it (root's home), a folder in /var/lib/weft stands in. */
export function layoutOf(asked: string): Layout {
  const wanted = realPath(resolve(asked));
  const user = serverUser(join(wanted, 'data'));
  const root = canReach(user, dirname(wanted)) ? wanted : join(ROOT_HOME, `${basename(wanted)}-${hashOf(wanted)}`);
  const near = join(root, 'socket');
  const far = join(realpathSync(tmpdir()), `weft-${hashOf(root)}`);
  return {
    root,
    data: join(root, 'data'),
    log: join(root, 'server.log'),
    socket: Buffer.byteLength(near) <= SOCKET_FOLDER_BYTES_MAX ? near : far,
    user,
    moved: root !== wanted,
  };
}

/** Creates the folders, private to the server's user. */
export function createFolders({ root, socket, user }: Layout): void {
  createPassable(dirname(root));
  for (const folder of [root, socket]) {
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    own(folder, user);
    const { uid } = statSync(folder);
    const expected = user.uid ?? process.getuid?.() ?? uid;
    // A folder in the temp directory may have been put there by somebody who wants to listen.
    if (uid !== expected) throw new Fault(`Expected ${folder} to belong to uid ${expected} but uid ${uid} owns it. Remove it or choose another folder.`, false);
    chmodSync(folder, 0o700);
  }
}

export function own(path: string, { uid, gid }: ServerUser): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

/** Missing parents are made so that others can pass through and not look around; those that exist stay as they are. */
function createPassable(folder: string): void {
  if (existsSync(folder)) return;
  createPassable(dirname(folder));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o711);
}

/** PostgreSQL notes its data folder as it was given; links must not make one folder look like two. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent), basename(path));
}

const hashOf = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 12);
