// An archive file while it is written: nobody sees it under its name before all of it is on the disk.
import { encodeArchiveLine, type ArchiveLine } from '@weft/proof';
import { closeSync, createWriteStream, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';

export class ArchiveFile {
  readonly #gzip: Gzip = createGzip();
  /** Settles when all is written, or when it cannot be. */
  readonly #written: Promise<void>;

  private constructor(
    /** Where it comes to lie. */
    readonly path: string,
    handle: number,
  ) {
    this.#written = pipeline(this.#gzip, createWriteStream('', { fd: handle }));
    // Whoever writes or closes hears of it.
    this.#written.catch(() => undefined);
  }

  /** Takes the first name from `number` on that no archive has: two runs of the same second, or beside each other, write files of their own. */
  static begin(folder: string, createdAt: Date, number: number): ArchiveFile {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = archivePath(folder, createdAt, number);
    const handle = take(path);
    return handle === undefined ? ArchiveFile.begin(folder, createdAt, number + 1) : new ArchiveFile(path, handle);
  }

  /** @throws what the disk said. */
  async write(line: ArchiveLine): Promise<void> {
    if (!this.#gzip.write(encodeArchiveLine(line))) await Promise.race([once(this.#gzip, 'drain'), this.#written]);
  }

  /** Resolves when the file is on the disk under its name. @throws what the disk said. */
  async close(): Promise<void> {
    this.#gzip.end();
    await this.#written;
    sync(partOf(this.path));
    renameSync(partOf(this.path), this.path);
    sync(dirname(this.path));
  }

  /** Leaves nothing behind. */
  discard(): void {
    this.#gzip.destroy();
    rmSync(partOf(this.path), { force: true });
  }
}

const partOf = (path: string): string => `${path}.part`;

/** Opens the part of an archive for whoever is first; nobody else brings the archive into being while it is there. */
function take(path: string): number | undefined {
  let handle: number;
  try {
    handle = openSync(partOf(path), 'wx', 0o600);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw fault;
  }
  if (!existsSync(path)) return handle;
  closeSync(handle);
  rmSync(partOf(path));
  return undefined;
}

function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Name of an archive: when it was made, and its number among those made together. */
const archivePath = (folder: string, createdAt: Date, number: number): string =>
  join(folder, `weft-${createdAt.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}-${String(number).padStart(4, '0')}.jsonl.gz`);
