// Log lines of services for people who watch: time, level, service, message and what identifies the subject.
import { logEntryOf } from '../processes/child-log.js';
import { colors } from './print.js';

const LEVEL_COLOR: Readonly<Record<string, (text: string) => string>> = { debug: colors.dim, info: colors.cyan, warn: colors.yellow, error: colors.red, fatal: colors.red };
// Said already, or of use to machines alone.
const OWN_FIELDS: ReadonlySet<string> = new Set(['time', 'level', 'service', 'message', 'tenant', 'error']);

/** One readable line; a line that is no log entry stays as it is. */
export function readableLogLine(line: string): string {
  const entry = logEntryOf(line);
  if (!entry) return line;
  const { time, level, service, message, error } = entry;
  const paint = LEVEL_COLOR[level] ?? ((text: string) => text);
  const fields = Object.entries(entry).flatMap(([name, value]) => (OWN_FIELDS.has(name) || value === null ? [] : [`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`]));
  const cause = error?.message === undefined ? '' : `: ${error.message}`;
  return `${colors.dim(time.slice(11, 23))} ${paint(level.padEnd(5))} ${service.padEnd(13)} ${message}${cause}${fields.length > 0 ? colors.dim(`  ${fields.join(' ')}`) : ''}`;
}
