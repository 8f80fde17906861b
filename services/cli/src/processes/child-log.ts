// What a child process writes: kept in a file, handed on line by line, and its end quoted when it fails.
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const LINES_KEPT = 12;

export interface ChildLog {
  /** The last lines, as sentences where they are log lines. */
  tail(): string;
}

/** Follows the streams of a child. @param onLine told of each line. */
export function followChild(file: string, streams: readonly (Readable | null)[], onLine: (line: string) => void = () => undefined): ChildLog {
  mkdirSync(dirname(file), { recursive: true });
  const log: WriteStream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  // A full disk must not end what is being watched.
  log.on('error', () => undefined);
  const last: string[] = [];
  for (const stream of streams) {
    if (!stream) continue;
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      log.write(`${line}\n`);
      last.push(line);
      if (last.length > LINES_KEPT) last.shift();
      onLine(line);
    });
  }
  return { tail: () => saying(last) };
}

/** What log lines say of a failure: the fatal one and its cause when there is one, else the last lines as they are. */
export function saying(lines: readonly string[]): string {
  const parsed = lines.map((line) => ({ line, entry: logEntryOf(line) }));
  const fatal = parsed.findLast(({ entry }) => entry?.level === 'fatal' || entry?.level === 'error');
  if (!fatal?.entry)
    return parsed
      .slice(-5)
      .map(({ line, entry }) => entry?.message ?? line)
      .join('\n');
  const { message, error } = fatal.entry;
  const cause = error?.message ?? '';
  return cause === '' || message.includes(cause) ? message : `${message}: ${cause}`;
}

/** A line of a service's JSON log. */
export interface LogEntry {
  readonly time: string;
  readonly level: string;
  readonly service: string;
  readonly message: string;
  readonly error?: { readonly message?: string; readonly code?: string };
  readonly [field: string]: unknown;
}

/** The log entry in a line, or undefined when it is something else. */
export function logEntryOf(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line) as Partial<LogEntry>;
    return typeof entry.message === 'string' && typeof entry.level === 'string' ? (entry as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}
