// What the operator declares about the tools of a source: the first rule whose pattern matches holds.
import type { JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import type { DataClass } from '../permission/permission-request.js';
import { TOOL_TIMEOUT_MS } from '../registry/tool.js';
import type { OfferedTool } from './offered-tool.js';

/** One rule of a source. Missing fields take what stands for the source as a whole, then the default. */
export interface ToolRule {
  /** Name within the source; `*` stands for any text. */
  readonly match: string;
  readonly effect?: EffectClass | undefined;
  readonly data?: DataClass | undefined;
  readonly timeoutMs?: number | undefined;
  /** Calls of this tool on their way at once, in one process. */
  readonly concurrency?: number | undefined;
  /** Price of one call, millionths of the unit of money. */
  readonly costMicros?: number | undefined;
  /** JSON Schema that arguments must match besides the tool's own: what it refuses is denied before the tool is asked. */
  readonly arguments?: JsonObject | undefined;
  /** What an error that the tool itself reports tells: `failed` where it reports one only when it has done nothing. Default `unknown`. */
  readonly onError?: 'failed' | 'unknown' | undefined;
  /** Name of another tool of this source that tells afterwards whether an effect happened. */
  readonly reconcile?: SourceHook | undefined;
}

/** Asks a tool of the same source, of class read, whether an effect happened. */
export interface SourceHook {
  readonly tool: string;
  /** Arguments: JSON with `${ jq }` texts over {key, arguments}. */
  readonly arguments: JsonObject;
  /** jq over the answer: true or false; anything else means "cannot tell". */
  readonly happened: string;
  /** jq over the answer: what the lost answer would have been. Default: the answer. */
  readonly output?: string | undefined;
}

/** What holds for one tool. */
export interface ToolTerms {
  readonly effect: EffectClass;
  readonly data: DataClass;
  readonly timeoutMs: number;
  /** 0: no bound of its own. */
  readonly concurrency: number;
  readonly costMicros: number;
  readonly arguments?: JsonObject;
  readonly onError: 'failed' | 'unknown';
  readonly reconcile?: SourceHook;
}

/** The terms of a tool. What nobody declared is the strictest: a non-idempotent write whose errors tell nothing; hints are never believed. */
export function termsOf(offered: Pick<OfferedTool, 'name' | 'effect' | 'timeoutMs'>, rules: readonly ToolRule[], source: Omit<ToolRule, 'match'>): ToolTerms {
  const rule: Omit<ToolRule, 'match'> = rules.find(({ match }) => matches(match, offered.name)) ?? {};
  const taken = <K extends keyof Omit<ToolRule, 'match'>>(field: K): Omit<ToolRule, 'match'>[K] => rule[field] ?? source[field];
  const effect = taken('effect') ?? offered.effect ?? 'non-idempotent-write';
  const limits = taken('arguments');
  const reconcile = effect === 'non-idempotent-write' ? taken('reconcile') : undefined;
  return {
    effect,
    data: taken('data') ?? 'public',
    timeoutMs: taken('timeoutMs') ?? offered.timeoutMs ?? TOOL_TIMEOUT_MS,
    concurrency: taken('concurrency') ?? 0,
    costMicros: taken('costMicros') ?? 0,
    onError: taken('onError') ?? 'unknown',
    ...(limits ? { arguments: limits } : {}),
    ...(reconcile ? { reconcile } : {}),
  };
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
