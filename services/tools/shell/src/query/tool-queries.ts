// Tools as people see them: what is declared, what sources offer, and how it stands.
import type { ListToolsRequest, ToolDetail, ToolPage, ToolSummary } from '@weft/contracts';
import { refuse, type Json } from '@weft/kernel';
import { decodeCursor, encodeCursor, isText, pageLimit } from '@weft/nest-platform';
import { differences, shownDefinition, standingOf, TOOL_TIMEOUT_MS, type PinnedDefinition, type PinState, type ToolDefinition } from '@weft/tools/core';
import { pinDigest, type PinBook } from '../pin/pin-book.js';
import { DECLARED, declaredDefinition } from '../registry/registry.js';
import { sourceOfTool } from '../persist/pin.store.js';
import type { ToolSources } from '../source/tool-sources.js';

/** declared: in the operator's own file; accepted, quarantined, rejected: decided or not; gone: accepted and not offered; unfit: cannot be used at all. */
export const TOOL_STATES = ['declared', 'accepted', 'quarantined', 'rejected', 'gone', 'unfit'] as const;
export type ToolState = (typeof TOOL_STATES)[number];

export class ToolQueries {
  readonly #declared: ReadonlyMap<string, ToolDefinition>;

  constructor(
    declared: readonly ToolDefinition[],
    private readonly sources: ToolSources,
    private readonly pins: PinBook,
  ) {
    this.#declared = new Map(declared.map((definition) => [definition.name, definition]));
  }

  /** A page by name. @throws Refused `request-invalid`. */
  list({ limit, cursor, state, source }: ListToolsRequest): ToolPage {
    if (state !== '' && !(TOOL_STATES as readonly string[]).includes(state)) refuse('request-invalid', `Expected a state of ${TOOL_STATES.join(', ')} but got ${JSON.stringify(state.slice(0, 60))}.`);
    const [after = ''] = decodeCursor(cursor, isText);
    const size = pageLimit(limit);
    const found: ToolSummary[] = [];
    for (const name of this.#names()) {
      if (name <= after) continue;
      const summary = this.#summary(name);
      if (summary && (state === '' || summary.state === state) && (source === '' || summary.source === source)) found.push(summary);
      if (found.length > size) break;
    }
    const page = found.slice(0, size);
    return {
      tools: page,
      nextCursor: found.length > size ? encodeCursor([page.at(-1)?.name ?? '']) : '',
      problems: this.sources.all.flatMap(({ source: { name }, problem }) => (problem === undefined ? [] : [{ source: name, message: problem }])),
    };
  }

  /** One tool. @param withTarget whether to tell where its source is and what the tool reaches there. @throws Refused `unknown-tool`. */
  show(name: string, withTarget: boolean): ToolDetail {
    const tool = this.#summary(name);
    if (!tool) return refuse('unknown-tool', `Expected a tool that is declared or was offered but there is none named ${JSON.stringify(name.slice(0, 200))}.`);
    const declared = this.#declared.get(name);
    const pin = this.pins.of(name);
    const offered = declared ? declaredDefinition(declared) : (this.sources.of(name)?.offered?.get(name)?.definition ?? pin.offer?.definition);
    const shown = offered && shownDefinition(offered);
    const textOf = ({ target, ...rest }: PinnedDefinition): string => JSON.stringify(withTarget ? { ...rest, target } : rest);
    const found = offered && !declared ? differences(pin.accepted?.definition, offered) : [];
    const decision = pin.rejected && pin.rejected.digest === tool.digest ? pin.rejected : pin.accepted;
    return {
      tool,
      offeredJson: shown ? textOf(shown.definition) : '',
      acceptedJson: pin.accepted ? textOf(shownDefinition(pin.accepted.definition).definition) : '',
      acceptedDigest: pin.accepted?.digest ?? '',
      decidedBy: decision?.by ?? '',
      decidedAtMs: decision?.at ?? 0,
      decisionReason: decision?.reason ?? '',
      // Raw: a difference in what nobody sees is a difference; JSON text shows it escaped.
      differences: found.filter(({ path }) => withTarget || !/^\/target(\/|$)/.test(path)).map(({ path, before, after }) => ({ path, beforeJson: escaped(before), afterJson: escaped(after) })),
      invisible: shown?.invisible ?? 0,
    };
  }

  #names(): readonly string[] {
    return [...new Set([...this.#declared.keys(), ...this.sources.all.flatMap(({ offered }) => [...(offered?.keys() ?? [])]), ...this.pins.tools])].toSorted();
  }

  #summary(name: string): ToolSummary | undefined {
    const declared = this.#declared.get(name);
    if (declared) {
      const { effect, data = 'public', timeoutMs, concurrency = 0, costMicros = 0 } = declared;
      return summary(name, declaredDefinition(declared), 'declared', {
        effect,
        data,
        timeoutMs,
        concurrency,
        costMicros,
        hasReconcileHook: 'reconcile' in declared && declared.reconcile !== undefined,
        reason: '',
      });
    }
    const pin = this.pins.of(name);
    const tools = this.sources.of(name);
    const offered = tools?.offered?.get(name);
    const definition = offered?.definition ?? pin.offer?.definition;
    if (!definition) return undefined;
    const entry = tools?.find(name);
    const terms = tools?.termsOf(definition);
    return summary(name, definition, stateOf(pin, offered?.digest ?? pin.offer?.digest ?? '', offered?.problem !== undefined, tools?.offered !== undefined && !offered), {
      effect: terms?.effect ?? 'non-idempotent-write',
      data: terms?.data ?? 'public',
      timeoutMs: terms?.timeoutMs ?? TOOL_TIMEOUT_MS,
      concurrency: terms?.concurrency ?? 0,
      costMicros: terms?.costMicros ?? 0,
      hasReconcileHook: terms?.reconcile !== undefined,
      reason: entry?.kind === 'closed' ? entry.failure.message : tools ? '' : `Expected source ${sourceOfTool(name)} to be declared but it is not any more.`,
    });
  }
}

function stateOf(pin: PinState, digest: string, isUnfit: boolean, isGone: boolean): ToolState {
  if (isUnfit) return 'unfit';
  if (isGone) return 'gone';
  return standingOf(pin, digest);
}

function summary(name: string, definition: PinnedDefinition, state: ToolState, terms: Omit<ToolSummary, 'name' | 'source' | 'state' | 'digest' | 'summary'>): ToolSummary {
  const { source, description } = shownDefinition(definition).definition;
  const line = description.split('\n')[0] ?? '';
  return { name, source: source === '' ? DECLARED : source, state, digest: pinDigest(definition), summary: line.length > 200 ? `${line.slice(0, 199)}…` : line, ...terms };
}

/** JSON text in which every character that nobody sees is written out. */
const escaped = (value: Json | undefined): string =>
  value === undefined
    ? ''
    : JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu, (character) =>
        character
          .split('')
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
          .join(''),
      );
