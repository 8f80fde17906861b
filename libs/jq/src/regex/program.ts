/** A tree as instructions of a virtual machine that follows all ways at once. Source: Pike's construction, as in Cox, "Regular Expression Matching: the Virtual Machine Approach". */
import type { CharacterSet } from './character-set.js';
import { PatternInvalid, type Anchor, type Pattern } from './syntax.js';

export type Instruction =
  | { readonly op: 'set'; readonly set: CharacterSet }
  /** Goes both ways, the first before the second. */
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'anchor'; readonly anchor: Anchor }
  | { readonly op: 'look'; readonly program: Program; readonly isBehind: boolean; readonly isNegative: boolean }
  | { readonly op: 'match' };

export type Program = readonly Instruction[];

const INSTRUCTIONS_MAX = 5_000;

/** @param isBackward the program reads the text from right to left. @throws PatternInvalid when it would be too large. */
export function programOf(pattern: Pattern, isBackward = false): Program {
  const builder = new ProgramBuilder(isBackward);
  builder.add(pattern);
  builder.emit({ op: 'match' });
  return builder.program;
}

class ProgramBuilder {
  readonly program: Instruction[] = [];

  constructor(private readonly isBackward: boolean) {}

  emit<I extends Instruction>(instruction: I): I {
    if (this.program.push(instruction) > INSTRUCTIONS_MAX) throw new PatternInvalid('too big: its repetitions multiply');
    return instruction;
  }

  add(pattern: Pattern): void {
    switch (pattern.kind) {
      case 'set':
        return void this.emit({ op: 'set', set: pattern.set });
      case 'sequence':
        for (const item of this.isBackward ? pattern.items.toReversed() : pattern.items) this.add(item);
        return;
      case 'choice':
        return this.choose(pattern.options);
      case 'repeat':
        return this.repeat(pattern);
      case 'group':
        // Inside what only looks, nothing is captured: it may be looked at in any order.
        this.emit({ op: 'save', slot: pattern.index * 2 + (this.isBackward ? 1 : 0) });
        this.add(pattern.body);
        this.emit({ op: 'save', slot: pattern.index * 2 + (this.isBackward ? 0 : 1) });
        return;
      case 'anchor':
        return void this.emit({ op: 'anchor', anchor: pattern.anchor });
      case 'look':
        return void this.emit({ op: 'look', program: programOf(pattern.body, pattern.isBehind), isBehind: pattern.isBehind, isNegative: pattern.isNegative });
    }
  }

  private choose(options: readonly Pattern[]): void {
    const exits: { to: number }[] = [];
    for (const option of options.slice(0, -1)) {
      const split = this.emit({ op: 'split', first: this.program.length + 1, second: 0 });
      this.add(option);
      exits.push(this.emit({ op: 'jump', to: 0 }));
      split.second = this.program.length;
    }
    this.add(options.at(-1)!);
    for (const exit of exits) exit.to = this.program.length;
  }

  private repeat({ body, least, most, isLazy }: Extract<Pattern, { kind: 'repeat' }>): void {
    for (let i = 0; i < least; i++) this.add(body);
    if (most === Infinity) {
      const start = this.program.length;
      const split = this.enter(isLazy);
      this.add(body);
      this.emit({ op: 'jump', to: start });
      this.leave(split, isLazy);
      return;
    }
    const splits: { first: number; second: number }[] = [];
    for (let i = least; i < most; i++) {
      splits.push(this.enter(isLazy));
      this.add(body);
    }
    for (const split of splits) this.leave(split, isLazy);
  }

  private enter(isLazy: boolean): { first: number; second: number } {
    const body = this.program.length + 1;
    return this.emit({ op: 'split', first: isLazy ? 0 : body, second: isLazy ? body : 0 });
  }

  private leave(split: { first: number; second: number }, isLazy: boolean): void {
    if (isLazy) split.first = this.program.length;
    else split.second = this.program.length;
  }
}
