import { Fault } from '@weft/pipeline';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Who the server runs as; empty = whoever we are. PostgreSQL refuses root, so root starts it as somebody else. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

const UNPRIVILEGED_ID = 65_534;

/**
 * The user for a data folder: its owner when root finds one that an ordinary user made, else `nobody` for root.
 * @throws Fault when the folder belongs to somebody else and we are not root.
 */
export function serverUser(data: string): ServerUser {
  const me = process.getuid?.();
  const owner = existsSync(data) ? statSync(data) : undefined;
  if (me !== 0) {
    if (owner && me !== undefined && owner.uid !== me)
      throw new Fault(`Expected the store in ${data} to belong to this user (uid ${me}) but uid ${owner.uid} owns it. Run as that user or as root, or choose another folder.`, false);
    return {};
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout?.trim() || UNPRIVILEGED_ID);
  return { uid: id('-u'), gid: id('-g') };
}

/** Whether the user may pass through every existing folder on the way to `path`. */
export function canReach({ uid, gid }: ServerUser, path: string): boolean {
  if (uid === undefined) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(folder)) {
      const { mode, uid: owner, gid: group } = statSync(folder);
      const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
      if ((mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}
