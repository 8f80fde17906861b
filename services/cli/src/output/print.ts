// What people and scripts read: text with colours for a terminal, JSON where asked for, progress on stderr.
import pc from 'picocolors';

export interface Printer {
  readonly json: boolean;
  /** Data: the object with --json, the text otherwise. */
  data(value: unknown, text: () => string): void;
  /** Progress and remarks: stderr, so that stdout stays data. */
  progress(text: string): void;
}

// NO_COLOR and non-terminals are honoured by picocolors; FORCE_COLOR switches colours on.
export const colors = pc;

export function printer(json: boolean): Printer {
  return {
    json,
    data: (value, text) => process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text()}\n`),
    progress: (text) => process.stderr.write(`${pc.dim('·')} ${text}\n`),
  };
}

/** Columns of text, as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const plain = (cell: string): string => cell.replace(/\u001b\[[0-9;]*m/g, '');
  const widths = rows.reduce<number[]>((widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, plain(cell).length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - plain(cell).length)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const STATUS_COLOR: Readonly<Record<string, (text: string) => string>> = {
  completed: pc.green,
  running: pc.cyan,
  accepted: pc.cyan,
  waiting: pc.yellow,
  suspended: pc.yellow,
  faulted: pc.red,
  refused: pc.red,
  cancelled: pc.red,
};

export const status = (text: string): string => (STATUS_COLOR[text] ?? ((plain: string) => plain))(text);
