// One logger for all of Weft: JSON lines on stdout, one readable line each when stdout is a terminal.
import type { Context } from '@weft/contracts';
import { Refused } from '@weft/kernel';
import { LOG_FIELD, traceIdOf } from '@weft/telemetry';
import { redact, redactText } from './redact.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line says besides its message. `context` gives tenant, execution, job and trace; `error` is written out. */
export interface LogFields {
  readonly context?: Context | undefined;
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

/** Writes lines of one service. No level throws. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
}

export interface LogSettings {
  /** Lines below it are not written. Default `info`. */
  readonly level?: LogLevel;
  /** `json`: one object a line; `text`: for people. Default: text when stdout is a terminal. */
  readonly format?: 'json' | 'text';
  /** Colours of the text format. Default: when stdout is a terminal and NO_COLOR is empty. Source: no-color.org. */
  readonly color?: boolean;
  /** Takes a finished line, with its line feed. Default: stdout. */
  readonly write?: (line: string) => void;
}

interface Sink {
  readonly threshold: number;
  readonly render: (line: Line) => string;
  readonly write: (line: string) => void;
}

interface Line {
  readonly time: string;
  readonly level: LogLevel;
  readonly service: string;
  readonly message: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

let sink = sinkOf({});

/** Sets how this process logs. Loggers that exist already follow. */
export function configureLog(settings: LogSettings): void {
  sink = sinkOf(settings);
}

/** The logger of a service. Several services of one process have one each. */
export function logFor(service: string): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void =>
      writeLine(service, level, message, fields);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') };
}

function writeLine(service: string, level: LogLevel, message: string, fields: LogFields = {}): void {
  if (LOG_LEVELS.indexOf(level) < sink.threshold) return;
  const { context, error, ...others } = fields;
  const line: Line = {
    time: new Date().toISOString(),
    level,
    service,
    message: redactText(message),
    rest: { ...(context === undefined ? {} : contextFields(context)), ...(redact(others) as Record<string, unknown>), ...(error === undefined ? {} : { [LOG_FIELD.error]: errorField(error) }) },
  };
  sink.write(`${sink.render(line)}\n`);
}

function contextFields({ tenant, executionId, jobId, traceparent }: Context): Record<string, string> {
  const trace = traceIdOf(traceparent);
  return {
    ...(tenant === '' ? {} : { [LOG_FIELD.tenant]: tenant }),
    ...(executionId === '' ? {} : { [LOG_FIELD.execution]: executionId }),
    ...(jobId === '' ? {} : { [LOG_FIELD.job]: jobId }),
    ...(trace === undefined ? {} : { [LOG_FIELD.trace]: trace }),
  };
}

// A refusal is expected: its code and sentence say all, a stack would be noise.
function errorField(error: unknown): unknown {
  return error instanceof Refused ? { code: error.rejection.code, message: redactText(error.message) } : redact(error);
}

function sinkOf(settings: LogSettings): Sink {
  const isTerminal = process.stdout.isTTY === true;
  const asText = settings.format === undefined ? isTerminal : settings.format === 'text';
  const color = settings.color ?? (isTerminal && (process.env['NO_COLOR'] ?? '') === '');
  return {
    threshold: LOG_LEVELS.indexOf(settings.level ?? 'info'),
    render: asText ? (line) => textLine(line, color) : jsonLine,
    write: settings.write ?? ((line) => void process.stdout.write(line)),
  };
}

function jsonLine({ rest, ...line }: Line): string {
  // The line's own fields come last: no field of a caller can pass itself off as one of them.
  const reserved = new Set<string>(Object.keys(line));
  return JSON.stringify({ ...line, ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [reserved.has(name) ? `${name}_` : name, value])) });
}

const COLOR: Record<LogLevel, number> = { debug: 90, info: 36, warn: 33, error: 31, fatal: 35 };

function textLine({ time, level, service, message, rest }: Line, color: boolean): string {
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const fields = Object.entries(rest).map(([name, value]) => ` ${paint(90, `${name}=`)}${typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)}`);
  return `${paint(90, time.slice(11, 23))} ${paint(COLOR[level], level.toUpperCase().padEnd(5))} ${service.padEnd(13)} ${message.replaceAll('\n', ' ')}${fields.join('')}`;
}
