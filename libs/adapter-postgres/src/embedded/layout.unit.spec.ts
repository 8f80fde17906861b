import { mkdirSync, mkdtempSync, realpathSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layoutOf } from './layout.js';
import { canReach } from './server-user.js';

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-spec-')));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('layoutOf', () => {
  it.runIf(process.getuid?.() === 0)("goes to /var/lib/weft when root asks for a folder that the server's user cannot reach", () => {
    const closed = layoutOf(join(folder, 'postgres'));
    expect(closed).toMatchObject({ moved: true, root: expect.stringMatching(/^\/var\/lib\/weft\/postgres-[0-9a-f]{12}$/) });
    expect(layoutOf(join(folder, 'postgres')).root).toBe(closed.root);
    chmodSync(folder, 0o711);
    expect(layoutOf(join(folder, 'postgres'))).toMatchObject({ moved: false, root: join(folder, 'postgres') });
  });
});

describe('canReach', () => {
  it('looks at the bit that is meant for the user, on every folder of the way', () => {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'inner'), { mode: 0o700 });
    const me = { uid: process.getuid!(), gid: process.getgid!() };
    expect(canReach(me, join(folder, 'inner', 'not-yet'))).toBe(true);
    expect(canReach({ uid: me.uid + 1, gid: me.gid + 1 }, join(folder, 'inner', 'not-yet'))).toBe(false);
    expect(canReach({ uid: me.uid + 1, gid: me.gid + 1 }, folder)).toBe(true);
    expect(canReach({}, join(folder, 'inner'))).toBe(true);
  });
});
