// The tools of one source: listed, pinned, and only callable as they were accepted.
import { setImmediate } from 'node:timers/promises';
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json } from '@weft/kernel';
import {
  announcedWaitMs,
  nameInSource,
  offeredProblem,
  shadowedNames,
  shownDefinition,
  standingOf,
  termsOf,
  type OfferedTool,
  type PinnedDefinition,
  type PinState,
  type SourceHook,
  type ToolRule,
  type ToolTerms,
} from '@weft/tools/core';
import { Gate } from '../carry-out/gate.js';
import type { Sent, Work, WorkMaking } from '../carry-out/work.js';
import { pinDigest, type PinBook } from '../pin/pin-book.js';
import { compileForeignSchema, compileLimits, type SchemaCheck } from '../registry/schemas.js';
import type { ActingEntry, ToolEntry } from '../registry/tool-entry.js';
import { offeredAs, pinnedAs } from './pinned-as.js';
import { prepareHook, type PreparedHook } from './source-hook.js';
import { SourceUnavailable, type ToolSource } from './tool-source.js';

/** What the operator declares about a source as a whole. */
export interface SourceTerms {
  readonly rules: readonly ToolRule[];
  readonly defaults: Omit<ToolRule, 'match'>;
  /** A call looks at the list first unless one is no older than this, milliseconds. 0: before every call. */
  readonly freshMs: number;
}

/** A definition as the source offers it now. `problem`: why it cannot be taken at all. */
export interface Offered {
  readonly tool: OfferedTool;
  readonly digest: string;
  readonly definition: PinnedDefinition;
  readonly problem?: string;
  /** Name, size and schema were looked at. */
  readonly isChecked?: boolean;
}

const LIST_MS = 20_000;

export class SourceTools {
  #offered: ReadonlyMap<string, Offered> | undefined;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #listing: Promise<void> | undefined;
  #problem: string | undefined;
  /** Lists in a row that brought something new. */
  #changes = 0;
  #soon: NodeJS.Timeout | undefined;
  readonly #gates = new Map<string, Gate>();
  readonly #entries = new Map<string, { readonly digest: string; readonly entry: ToolEntry }>();

  /** @param onNews told when what is offered has changed. */
  constructor(
    readonly source: ToolSource,
    private readonly terms: SourceTerms,
    private readonly pins: PinBook,
    private readonly signal: AbortSignal,
    private readonly onNews: () => void,
  ) {
    source.onChange?.(() => {
      // Whatever was asked for before is old from now on.
      this.#changedAtMs = performance.now();
      this.#lookSoon();
    });
  }

  /** What is offered, by name; undefined before the first list. */
  get offered(): ReadonlyMap<string, Offered> | undefined {
    return this.#offered;
  }

  /** Why the source could not be listed the last time; undefined when it could. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Lists now, and records what is new. One list serves all who asked before it began. @throws SourceUnavailable, Fault */
  async look(): Promise<void> {
    // A list under way may have been made before what the caller wants to know of.
    await this.#listing?.catch(() => undefined);
    this.#listing ??= this.#list().finally(() => (this.#listing = undefined));
    return this.#listing;
  }

  /** The entry of a tool by its whole name; undefined when neither the source nor a pin knows it. */
  find(name: string): ToolEntry | undefined {
    const pin = this.pins.of(name);
    const offered = this.#offered?.get(name);
    if (offered?.problem !== undefined) return closed(name, `it cannot be used: ${offered.problem}`);
    const { accepted } = pin;
    if (!accepted) return offered || pin.offer ? closed(name, quarantineReason(name, pin)) : undefined;
    if (this.#offered && !offered) return closed(name, 'its source does not offer it any more');
    if (offered && offered.digest !== accepted.digest) return closed(name, quarantineReason(name, pin));
    return this.#accepted(name, accepted.digest, accepted.definition);
  }

  async close(): Promise<void> {
    clearTimeout(this.#soon);
    await this.source.close();
  }

  /** How a tool that the source offers is to be used. */
  termsOf(tool: Pick<OfferedTool, 'name' | 'effect' | 'timeoutMs'>): ToolTerms {
    return termsOf(tool, this.terms.rules, this.terms.defaults);
  }

  #lookSoon(): void {
    const waitMs = this.#listedAtMs + announcedWaitMs(this.#changes) - performance.now();
    this.#soon ??= setTimeout(
      () => {
        this.#soon = undefined;
        void this.look().catch(() => undefined);
      },
      Math.max(0, waitMs),
    ).unref();
  }

  async #list(): Promise<void> {
    const begunMs = performance.now();
    let listed: readonly OfferedTool[];
    try {
      listed = await this.source.list(AbortSignal.any([this.signal, AbortSignal.timeout(LIST_MS)]));
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      throw error;
    }
    this.#problem = undefined;
    const shadowed = shadowedNames(listed);
    const offered = new Map<string, Offered>();
    for (const tool of listed) offered.set(nameInSource(this.source.name, tool.name), await this.#offer(tool, shadowed));
    const isNews = !this.#offered || this.#offered.size !== offered.size || [...offered].some(([name, { digest }]) => this.#offered?.get(name)?.digest !== digest);
    this.#offered = offered;
    this.#listedAtMs = begunMs;
    this.#changes = isNews ? this.#changes + 1 : 0;
    if (isNews) this.onNews();
    await this.pins.offer(new Map([...offered].filter(([, { problem }]) => problem === undefined)));
  }

  async #offer(tool: OfferedTool, shadowed: ReadonlySet<string>): Promise<Offered> {
    const { name } = tool;
    const definition = pinnedAs(this.source, tool);
    const digest = pinDigest(definition);
    if (shadowed.has(name)) return { tool, digest, definition, problem: 'its source offers two tools of this name, letters of either case being the same' };
    const known = this.#offered?.get(nameInSource(this.source.name, name));
    // Most lists bring nothing new, and one comes before every call of an MCP tool: what was checked is not checked again.
    if (known?.digest === digest && known.isChecked) return known;
    const unfit = offeredProblem(tool);
    // Schemas are compiled to be checked, some milliseconds each, and a source may bring a thousand: others have their turn between them.
    if (unfit === undefined) await setImmediate();
    const problem = unfit ?? schemaProblem(tool);
    return { tool, digest, definition, isChecked: true, ...(problem === undefined ? {} : { problem }) };
  }

  #accepted(name: string, digest: string, definition: PinnedDefinition): ToolEntry {
    const known = this.#entries.get(name);
    if (known?.digest === digest) return known.entry;
    const entry = this.#entryOf(name, digest, definition);
    this.#entries.set(name, { digest, entry });
    return entry;
  }

  #entryOf(name: string, digest: string, definition: PinnedDefinition): ToolEntry {
    const tool = offeredAs(definition);
    const { input } = tool;
    const terms = this.termsOf(tool);
    const shown = shownDefinition(definition).definition;
    let inputProblem: SchemaCheck;
    let limits: SchemaCheck | undefined;
    let hook: PreparedHook | undefined;
    try {
      inputProblem = compileForeignSchema(input);
      limits = terms.arguments && compileLimits(terms.arguments);
      hook = terms.reconcile && prepareHook(terms.reconcile);
    } catch (error) {
      return closed(name, `it cannot be used: ${(error as Error).message}`);
    }
    const use: Use = { name, digest, tool, terms, limits, hook };
    const facts = {
      name,
      source: this.source.name,
      pin: digest,
      description: shown.description,
      input: shown.input,
      effect: terms.effect,
      data: terms.data,
      costMicros: terms.costMicros,
      inputProblem,
    };
    const entry: ActingEntry = { kind: 'acting', ...facts, work: (job, args) => this.#work(use, job, args) };
    return entry;
  }

  #work({ name, digest, tool, terms, limits, hook }: Use, job: Job, args: Json): WorkMaking {
    const outside = limits?.(args);
    if (outside !== undefined)
      return { ok: false, failure: rejection('denied', `Expected arguments of tool ${name} within what its source's declaration allows but ${outside}.`, { details: { tool: name } }) };
    const own = terms.effect === 'non-idempotent-write' ? this.source.reconcileOf?.(tool) : undefined;
    const work: Work = {
      job,
      name,
      effect: terms.effect,
      timeoutMs: terms.timeoutMs,
      request: { tool: name, pin: digest, arguments: args },
      attributes: {},
      taint: [`tool:${name}`],
      gate: this.#gateOf(name, terms),
      send: async (sending) => {
        const refusal = await this.#unfit(name, digest, performance.now());
        if (refusal) return { outcome: { kind: 'failed', failure: refusal } };
        return this.source.call({ job, tool, terms, args, sending });
      },
      ...this.#reconciling(hook, own, job, args),
    };
    return { ok: true, work };
  }

  /** What the operator declares goes before what the source itself can tell. */
  #reconciling(hook: PreparedHook | undefined, own: ReturnType<NonNullable<ToolSource['reconcileOf']>>, job: Job, args: Json): Pick<Work, 'reconcile'> {
    if (hook) return { reconcile: (signal) => hook.ask(job, args, (hookArgs) => this.#callHook(hook.declared, job, hookArgs, signal)) };
    return own ? { reconcile: (signal) => own(job, args, signal) } : {};
  }

  /** Calls the tool that tells whether an effect happened. It is held to its own pin. Undefined: it could not be asked. */
  async #callHook({ tool: short }: SourceHook, job: Job, args: Json, signal: AbortSignal): Promise<Sent | undefined> {
    const entry = this.find(nameInSource(this.source.name, short));
    if (entry?.kind !== 'acting' || signal.aborted) return undefined;
    const made = entry.work(job, args);
    return made.ok ? made.work.send({ untilMs: performance.now() + made.work.timeoutMs, traceparent: '' }) : undefined;
  }

  /** Why a tool must not be called after all: looked at right before sending, on a list that is young enough. */
  async #unfit(name: string, digest: string, nowMs: number): Promise<Failure | undefined> {
    if (this.#listedAtMs < Math.max(nowMs - this.terms.freshMs, this.#changedAtMs)) {
      try {
        await this.look();
      } catch (error) {
        if (!(error instanceof SourceUnavailable)) throw error;
        return rejection('unreachable', error.message, { retryable: true });
      }
    }
    const entry = this.find(name);
    if (!entry) return closed(name, 'its source does not offer it any more').failure;
    if (entry.kind === 'closed') return entry.failure;
    return entry.pin === digest ? undefined : closed(name, 'another definition of it has been accepted meanwhile').failure;
  }

  #gateOf(name: string, { concurrency }: ToolTerms): Gate | undefined {
    if (concurrency === 0) return undefined;
    let gate = this.#gates.get(name);
    if (!gate) this.#gates.set(name, (gate = new Gate(concurrency)));
    return gate;
  }
}

interface Use {
  readonly name: string;
  readonly digest: string;
  readonly tool: OfferedTool;
  readonly terms: ToolTerms;
  readonly limits: SchemaCheck | undefined;
  readonly hook: PreparedHook | undefined;
}

function schemaProblem({ input, output }: OfferedTool): string | undefined {
  try {
    compileForeignSchema(input);
    if (output !== undefined) compileForeignSchema(output);
    return undefined;
  } catch (error) {
    return `its schema cannot be used: ${(error as Error).message.slice(0, 300)}`;
  }
}

/** Why a tool without a valid acceptance waits. */
function quarantineReason(name: string, pin: PinState): string {
  const { offer, accepted } = pin;
  if (offer && standingOf(pin, offer.digest) === 'rejected') return `${pin.rejected?.by ?? 'somebody'} has rejected its definition: ${pin.rejected?.reason || 'no reason was given'}`;
  const what = accepted ? 'its definition has changed since it was accepted' : 'it is new and nobody has accepted it yet';
  return `${what}. Look at it with ./weft tools diff ${name}, then accept or reject it`;
}

function closed(name: string, why: string): Extract<ToolEntry, { kind: 'closed' }> {
  return { kind: 'closed', name, failure: rejection('tool-quarantined', `Expected tool ${name} to be accepted as it is offered now but ${why}.`, { details: { tool: name } }) };
}
