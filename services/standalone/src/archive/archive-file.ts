// An archive file while it is written: nobody sees it under its name before all of it is on the disk.
import { encodeArchiveLine, type ArchiveLine } from '@weft/proof';
import { closeSync, createWriteStream, fsyncSync, mkdirSync, openSync, renameSync, rmSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';

export class ArchiveFile {
  readonly #gzip: Gzip;
  readonly #file: WriteStream;
  readonly #partPath: string;

  /** @param path where it comes to lie: nothing may be there. */
  constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#partPath = `${path}.part`;
    this.#gzip = createGzip();
    this.#file = createWriteStream(this.#partPath, { mode: 0o600 });
    this.#gzip.pipe(this.#file);
  }

  async write(line: ArchiveLine): Promise<void> {
    if (!this.#gzip.write(encodeArchiveLine(line))) await once(this.#gzip, 'drain');
  }

  /** Resolves when the file is on the disk under its name. */
  async close(): Promise<void> {
    this.#gzip.end();
    await finished(this.#file);
    sync(this.#partPath);
    renameSync(this.#partPath, this.path);
    sync(dirname(this.path));
  }

  /** Leaves nothing behind. */
  discard(): void {
    this.#gzip.destroy();
    this.#file.destroy();
    rmSync(this.#partPath, { force: true });
  }
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
export const archivePath = (folder: string, createdAt: Date, number: number): string =>
  join(folder, `weft-${createdAt.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}-${String(number).padStart(4, '0')}.jsonl.gz`);
