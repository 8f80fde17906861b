import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ServerUser } from './binaries.js';

/** Where an embedded server keeps its things. */
export interface Layout {
  readonly root: string;
  readonly data: string;
  readonly log: string;
  /** Folder of the unix socket. */
  readonly socket: string;
}

// The path of a unix socket holds at most 107 bytes on Linux and 103 on macOS; the file is `.s.PGSQL.5432`.
const SOCKET_FOLDER_BYTES_MAX = 103 - '/.s.PGSQL.5432'.length;

export function layoutOf(root: string): Layout {
  const near = join(root, 'socket');
  const far = join(tmpdir(), `weft-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`);
  return { root, data: join(root, 'data'), log: join(root, 'server.log'), socket: Buffer.byteLength(near) <= SOCKET_FOLDER_BYTES_MAX ? near : far };
}

/** Creates the folders, private to the server's user; its way down to them is opened for passing through. */
export function createFolders(layout: Layout, user: ServerUser): void {
  for (const folder of [layout.root, layout.data, layout.socket]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (user.uid !== undefined && user.gid !== undefined) {
      chownSync(folder, user.uid, user.gid);
      openWay(folder);
    }
  }
}

/** Root's folders may be closed to `nobody`: gives passage (x), never reading. */
function openWay(folder: string): void {
  for (let parent = dirname(folder); parent !== dirname(parent); parent = dirname(parent)) {
    const { mode, uid } = statSync(parent);
    if (uid === 0 && (mode & 0o001) === 0) chmodSync(parent, mode | 0o001);
  }
}
