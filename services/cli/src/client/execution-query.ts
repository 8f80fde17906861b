// Options that say which executions are meant, as query parameters of the gateway.
import { InvalidArgumentError, type Command } from 'commander';
import { oneOf } from '../commands/command.js';

export const STATUSES = ['running', 'waiting', 'suspended', 'completed', 'faulted', 'cancelled'] as const;

export interface QueryOptions {
  readonly status?: string;
  readonly workflow?: string;
  readonly attribute?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly request?: string;
  readonly source?: string;
  readonly type?: string;
  readonly parent?: string;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Adds the options to a command. */
export function withQuery(command: Command): Command {
  return command
    .option('--status <status>', `only those: ${STATUSES.join(', ')}`, oneOf(STATUSES))
    .option('--workflow <name>', 'only of this workflow: namespace/name, or namespace/name:version')
    .option('--attribute <name=value>', 'only with this search attribute; may be given several times', attribute, [] as readonly string[])
    .option('--since <time>', 'only started at this time or later: RFC 3339, or an age such as 30m, 12h, 7d', instant)
    .option('--until <time>', 'only started before this time', instant)
    .option('--request <id>', 'only of the request with this id')
    .option('--source <source>', 'only of requests from this source')
    .option('--type <type>', 'only of requests of this type')
    .option('--parent <id>', 'only what a task of this execution started');
}

/** Query parameters of the gateway. */
export function queryParameters({ status, workflow, attribute: attributes = [], since, until, request, source, type, parent }: QueryOptions): URLSearchParams {
  const given = { status, workflow, startedAfter: since, startedBefore: until, request, source, type, parent };
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (value !== undefined) parameters.set(name, value);
  for (const one of attributes) parameters.append('attribute', one);
  return parameters;
}

function attribute(text: string, before: readonly string[]): readonly string[] {
  const [, name, value] = /^([^=:]+)[=:](.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Expected NAME=VALUE, such as customer=42.');
  return [...before, `${name}:${value}`];
}

/** RFC 3339, or an age counted back from now. @returns RFC 3339. */
export function instant(text: string): string {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const at = unit === undefined ? Date.parse(text) : Date.now() - Number(count) * UNIT_MS[unit]!;
  if (!(at > 0 && at < 8.64e15)) throw new InvalidArgumentError('Expected a time such as 2026-01-31T08:00:00Z, or an age such as 30m, 12h or 7d.');
  return new Date(at).toISOString();
}
