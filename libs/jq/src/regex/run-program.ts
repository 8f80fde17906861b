/** Runs a program over a text: all ways side by side, in order of preference, in time linear in text and program. */
import type { Meter } from '../budget.js';
import { WORD_CHARACTER, type CharacterSet } from './character-set.js';
import type { Program } from './program.js';
import type { Anchor } from './syntax.js';

/** Where each group begins and ends, in code points; the whole first; -1 where a group took no part. */
export type Slots = readonly number[];

export interface Search {
  readonly program: Program;
  /** Code points. */
  readonly text: Int32Array;
  readonly groups: number;
  /** Of all matches from one place the longest, not the first preferred. */
  readonly isLongest: boolean;
  /** An empty match is none. */
  readonly skipsEmpty: boolean;
}

// A way that is followed costs a few nanoseconds, a step of the budget about a hundred.
const VISITS_PER_STEP = 4;

/** Searches one text again and again; what lookarounds found out is kept. */
export class Searcher {
  private readonly looked = new Map<Program, Int8Array>();
  private readonly threads = new Map<Program, readonly [Threads, Threads]>();
  /** What every match begins with, where one instruction says it. */
  private readonly first: CharacterSet | undefined;
  private visits = 0;

  constructor(
    private readonly meter: Meter,
    private readonly search: Search,
  ) {
    const opening = search.program.find(({ op }) => op !== 'save');
    this.first = opening?.op === 'set' ? opening.set : undefined;
  }

  /** The leftmost match that begins at `from` or later. */
  find(from: number): Slots | undefined {
    const { program, text, groups, isLongest, skipsEmpty } = this.search;
    let [now, next] = this.threadsOf(program);
    let matched: Slots | undefined;
    for (let at = from; at <= text.length; at++) {
      if (matched === undefined) {
        if (now.size === 0) at = this.skip(at);
        const fresh = new Array<number>(groups * 2 + 2).fill(-1);
        fresh[0] = at;
        this.follow(program, now, 0, at, fresh);
      }
      if (now.size === 0 && matched !== undefined) break;
      const reached = this.advance(program, now, next, at, 1, (slots) => {
        if (skipsEmpty && slots[0] === at) return false;
        const isBetter = matched === undefined || !isLongest || slots[0]! < matched[0]! || (slots[0] === matched[0] && at > matched[1]!);
        if (isBetter) matched = [slots[0]!, at, ...slots.slice(2)];
        return !isLongest;
      });
      [now, next] = [reached, now];
      next.clear();
    }
    return matched;
  }

  /** Whether the program matches from this very place, in its direction. */
  private matchesAt(program: Program, from: number, direction: 1 | -1): boolean {
    let [now, next] = this.threadsOf(program);
    let isMatched = false;
    this.follow(program, now, 0, from, []);
    for (let at = from; now.size > 0 && !isMatched; at += direction) {
      const reached = this.advance(program, now, next, at, direction, () => (isMatched = true));
      [now, next] = [reached, now];
      next.clear();
    }
    return isMatched;
  }

  /** Takes every way over one character. `onMatch` says whether what was preferred less is cut off. @returns the ways beyond it. */
  private advance(program: Program, now: Threads, next: Threads, at: number, direction: 1 | -1, onMatch: (slots: readonly number[]) => boolean): Threads {
    // Outside the text there is nothing, and undefined is in no set.
    const point = this.search.text[direction > 0 ? at : at - 1] ?? -1;
    for (let i = 0; i < now.size; i++) {
      const pc = now.order[i]!;
      const instruction = program[pc]!;
      if (instruction.op === 'set') {
        this.visits += instruction.set.weight;
        if (point >= 0 && instruction.set.has(point)) this.follow(program, next, pc + 1, at + direction, now.slots[i]!);
      } else if (onMatch(now.slots[i]!)) break;
    }
    this.charge();
    return next;
  }

  /** The next place at which a match can begin. */
  private skip(from: number): number {
    const { first } = this;
    const { text } = this.search;
    if (first === undefined) return from;
    let at = from;
    while (at < text.length && !first.has(text[at]!)) at++;
    this.meter.work(((at - from) * first.weight) >> 4);
    return at;
  }

  private threadsOf(program: Program): readonly [Threads, Threads] {
    let pair = this.threads.get(program);
    if (!pair) {
      this.meter.take(program.length * 8);
      pair = [new Threads(program.length), new Threads(program.length)];
      this.threads.set(program, pair);
    }
    for (const threads of pair) threads.clear();
    return pair;
  }

  /** Adds a way and all that it reaches without consuming anything, the preferred first. */
  private follow(program: Program, threads: Threads, start: number, at: number, given: readonly number[]): void {
    const waiting: { readonly pc: number; readonly slots: readonly number[] }[] = [{ pc: start, slots: given }];
    for (let way = waiting.pop(); way !== undefined; way = waiting.pop()) {
      let { pc, slots } = way;
      while (threads.enters(pc)) {
        this.visits++;
        const instruction = program[pc]!;
        if (instruction.op === 'set' || instruction.op === 'match') {
          threads.push(pc, slots);
          break;
        }
        if (instruction.op === 'anchor' ? !this.holds(instruction.anchor, at) : instruction.op === 'look' && this.sees(instruction.program, instruction.isBehind, at) === instruction.isNegative) break;
        if (instruction.op === 'split') waiting.push({ pc: instruction.second, slots });
        // Without slots nobody asks for groups.
        if (instruction.op === 'save' && slots.length > 0) {
          this.visits += slots.length >> 2;
          slots = slots.with(instruction.slot, at);
        }
        pc = instruction.op === 'jump' ? instruction.to : instruction.op === 'split' ? instruction.first : pc + 1;
      }
    }
  }

  private charge(): void {
    this.meter.work(Math.floor(this.visits / VISITS_PER_STEP));
    this.visits %= VISITS_PER_STEP;
  }

  private holds(anchor: Anchor, at: number): boolean {
    const { text } = this.search;
    switch (anchor) {
      case 'textStart':
        return at === 0;
      case 'textEnd':
        return at === text.length;
      case 'lastLineEnd':
        return at === text.length || (at === text.length - 1 && text[at] === 10);
      case 'lineStart':
        return at === 0 || text[at - 1] === 10;
      case 'lineEnd':
        return at === text.length || text[at] === 10;
      case 'wordEdge':
        return this.isWord(at - 1) !== this.isWord(at);
      case 'noWordEdge':
        return this.isWord(at - 1) === this.isWord(at);
    }
  }

  private isWord(at: number): boolean {
    const { text } = this.search;
    return at >= 0 && at < text.length && WORD_CHARACTER.has(text[at]!);
  }

  /** Whether what a lookaround wants is there. Each place is looked at once. */
  private sees(program: Program, isBehind: boolean, at: number): boolean {
    const { text } = this.search;
    let known = this.looked.get(program);
    if (!known) {
      this.meter.take(text.length + 1);
      known = new Int8Array(text.length + 1);
      this.looked.set(program, known);
    }
    if (known[at] === 0) known[at] = this.matchesAt(program, at, isBehind ? -1 : 1) ? 1 : -1;
    return known[at] === 1;
  }
}

/** The ways that are followed, each instruction once, in order of preference. */
class Threads {
  readonly order: number[] = [];
  readonly slots: (readonly number[])[] = [];
  private readonly entered: Uint32Array;
  private generation = 1;

  constructor(size: number) {
    this.entered = new Uint32Array(size);
  }

  get size(): number {
    return this.order.length;
  }

  /** Whether the instruction was not there before. */
  enters(pc: number): boolean {
    if (this.entered[pc] === this.generation) return false;
    this.entered[pc] = this.generation;
    return true;
  }

  push(pc: number, slots: readonly number[]): void {
    this.order.push(pc);
    this.slots.push(slots);
  }

  clear(): void {
    this.order.length = 0;
    this.slots.length = 0;
    this.generation++;
  }
}
