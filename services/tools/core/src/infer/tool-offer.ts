// Which tools a model is told of, and under which names.
import { matchesName, type JsonObject } from '@weft/kernel';
import { visibleJson, visibleText } from '../source/visible-text.js';

/** A tool as a model is told of it. */
export interface ToolForModel {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly input: JsonObject;
}

/** A tool that was asked for and is kept from the model. */
export interface WithheldTool {
  readonly name: string;
  readonly reason: string;
}

export interface ToolOffer {
  readonly offered: readonly ToolForModel[];
  readonly withheld: readonly WithheldTool[];
}

/** What an offer is made from. */
export interface OfferSources {
  /** Names of all tools there are. */
  readonly names: readonly string[];
  /** The tool, or undefined when there is none of that name. */
  readonly find: (name: string) => ToolForModel | undefined;
  /** Why the tool may not be used by whoever asks; undefined when it may. */
  readonly objectionTo: (name: string) => string | undefined;
}

/** Resolves names and patterns (`*` stands for any text) to tools, each once, in the order in which they are asked for. What a pattern finds and may not be used is left out without a word. */
export function offerTools(wanted: readonly string[], { names, find, objectionTo }: OfferSources): ToolOffer {
  const offered = new Map<string, ToolForModel>();
  const withheld = new Map<string, string>();
  for (const pattern of wanted) {
    const isPattern = pattern.includes('*');
    for (const name of isPattern ? names.filter((name) => matchesName(pattern, name)) : [pattern]) {
      if (offered.has(name) || withheld.has(name)) continue;
      // Authority comes first: whether a tool exists is nobody's business who may not use it.
      const objection = objectionTo(name);
      const tool = objection === undefined ? find(name) : undefined;
      if (tool) offered.set(name, { name, description: visibleText(tool.description), input: visibleJson(tool.input) as JsonObject });
      else if (!isPattern || objection !== undefined) withheld.set(name, objection ?? 'there is no such tool');
    }
  }
  return { offered: [...offered.values()], withheld: [...withheld].map(([name, reason]) => ({ name, reason })) };
}

/** An offer with the tools of whoever asks: they come last, and another one of the same name is kept from the model. */
export function withOwnTools({ offered, withheld }: ToolOffer, own: readonly ToolForModel[] = []): ToolOffer {
  const names = new Set(own.map(({ name }) => name));
  const hidden = offered.filter(({ name }) => names.has(name));
  return {
    offered: [...offered.filter(({ name }) => !names.has(name)), ...own],
    withheld: [...withheld, ...hidden.map(({ name }) => ({ name, reason: 'whoever asks has a tool of this name itself' }))],
  };
}

const WIRE_NAME_MAX = 64;

/** A name as providers take it, whatever else has it: of a tool that is spoken of and not offered. */
export const plainName = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, WIRE_NAME_MAX) || '_';

/** Names under which providers take tools (letters, digits, `_` and `-`, at most 64), each of one tool. */
export function wireNames(names: readonly string[]): ReadonlyMap<string, string> {
  const wires = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of names) {
    const plain = plainName(name);
    let wire = plain;
    for (let count = 2; taken.has(wire); count++) wire = `${plain.slice(0, WIRE_NAME_MAX - 1 - String(count).length)}_${count}`;
    taken.add(wire);
    wires.set(name, wire);
  }
  return wires;
}
