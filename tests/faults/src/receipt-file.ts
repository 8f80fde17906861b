// The counting server's file: one line of JSON per receipt, on the disk before anybody hears of it.
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FaultKind } from './planned-fault.js';

/** One effect as it arrived. What a caller did not send is null. */
export interface Receipt {
  /** From 1, in order of arrival, without gaps; goes on after a restart. */
  readonly receipt: number;
  readonly at: {
    /** Nanoseconds of the machine's monotonic clock, as text; comparable between processes of one boot. */
    readonly monotonicNs: string;
    /** Milliseconds since the Unix epoch. */
    readonly wallMs: number;
  };
  /** How it came in. */
  readonly face: 'http' | 'mcp' | 'grpc';
  readonly tool: string;
  /** The `Idempotency-Key` header, `ai.weft/idempotency-key` of MCP's `_meta`, or `idempotency-key` of gRPC's metadata; the same for those below. */
  readonly key: string | null;
  /** The `weft-execution` header. */
  readonly execution: string | null;
  /** The `weft-task` header. */
  readonly task: string | null;
  /** The `weft-iteration` header. */
  readonly iteration: string | null;
  /** SHA-256 of the body or arguments, in hex. */
  readonly bodySha256: string;
  /** What the receiver did wrong on purpose; null: it answered. With `refused` nothing was done, with all others the effect was. */
  readonly fault: FaultKind | null;
}

/** A receipt file that is open for appending. One process at a time. */
export interface ReceiptFile {
  /** What the file held when it was opened. */
  readonly receipts: readonly Receipt[];
  /** Resolves when the line is on the disk. After the first failed write every append rejects: what is on the disk is no longer known. */
  readonly append: (receipt: Receipt) => Promise<void>;
  /** Waits for what was appended and closes. */
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Opens or creates the file. A torn last line, left by a crash before its answer, is cut off.
 * Appends that arrive while a sync runs share the next one.
 * Throws when a line before the last is no receipt.
 */
export async function openReceiptFile(path: string): Promise<ReceiptFile> {
  const file = await open(path, 'a+');
  try {
    const text = await file.readFile('utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const receipts = parseReceipts(whole);
    if (whole.length < text.length) await file.truncate(Buffer.byteLength(whole));
    await file.sync();
    await syncFolder(dirname(path));
    return { receipts, ...groupCommit(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The receipts of a file's text. A last line without its end is left out: it was never answered.
 * Throws an `Error` with the line number when another line is no receipt.
 */
export function parseReceipts(text: string): readonly Receipt[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    const receipt = parsed(line);
    if (!receipt) throw new Error(`Expected a receipt in line ${index + 1}, but got ${line.slice(0, 200)}`);
    return receipt;
  });
}

function parsed(line: string): Receipt | undefined {
  try {
    const value = JSON.parse(line) as Partial<Receipt> | null;
    return value && typeof value.receipt === 'number' && typeof value.tool === 'string' ? (value as Receipt) : undefined;
  } catch {
    return undefined;
  }
}

function groupCommit(file: FileHandle): Pick<ReceiptFile, 'append' | 'close'> {
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let broken: unknown;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        if (broken) throw broken;
        await file.appendFile(group.map((one) => one.line).join(''));
        await file.datasync();
        for (const one of group) one.resolve();
      } catch (error) {
        broken = error;
        for (const one of group) one.reject(error);
      }
    }
    running = undefined;
  };

  return {
    append: (receipt) =>
      new Promise((resolve, reject) => {
        waiting.push({ line: `${JSON.stringify(receipt)}\n`, resolve, reject });
        running ??= drain();
      }),
    close: async () => {
      await running;
      await file.close();
    },
  };
}

/** A new file survives a crash of the machine only when its folder's entry does. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync();
  await folder.close();
}
