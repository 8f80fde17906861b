// The texts of a document that are expressions, in each of the forms that the standard gives them.
import { isJsonObject, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { undeclared } from './authentication.js';
import { secretsUsedBy } from './deferred.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { excerpt } from './words.js';

/** How expressions are checked: by whoever evaluates them later. */
export interface ExpressionPorts {
  /** Says what is wrong with a jq expression that may use these variables (names without `$`), or undefined. */
  readonly checkExpression: (text: string, variables: readonly string[]) => Rejection | undefined;
  /** The jq inside a text that is wholly one `${ ... }`, or undefined. Default: what stands between `${` and the last `}`. */
  readonly embeddedExpression?: (text: string) => string | undefined;
}

/** Judges texts one after the other and gathers what is wrong with them. */
export class ExpressionTexts {
  readonly problems: Problem[] = [];

  constructor(
    readonly use: JsonObject,
    private readonly ports: ExpressionPorts,
  ) {}

  /** A duration may be one expression. */
  duration(value: Json | undefined, pointer: string, variables: readonly string[], where = ''): void {
    const inner = typeof value === 'string' ? this.#embedded(value) : undefined;
    if (inner !== undefined) this.#jq(inner, pointer, variables, where);
  }

  /** A field that is an expression by itself: bare jq, or the same inside `${ }`. */
  bare(text: Json | undefined, pointer: string, variables: readonly string[], where = ''): void {
    if (typeof text === 'string' && text !== '') this.#jq(this.#embedded(text) ?? text, pointer, variables, where);
  }

  /** `from` and `as`: an expression, or an object with expressions in it. */
  shaping(value: Json | undefined, pointer: string, variables: readonly string[]): void {
    if (typeof value === 'string') this.bare(value, pointer, variables);
    else this.template(value, pointer, variables);
  }

  /** Any value, in which texts that are wholly `${ }` are expressions. */
  template(value: Json | undefined, pointer: string, variables: readonly string[], allowsDollar = false): void {
    if (typeof value === 'string') {
      const inner = this.#embedded(value);
      if (inner !== undefined) this.#jq(inner, pointer, variables);
      else if (!allowsDollar && value.includes('${')) this.#mixed(value, pointer);
    } else if (Array.isArray(value)) (value as readonly Json[]).forEach((item, position) => this.template(item, pointerTo(pointer, position), variables, allowsDollar));
    else if (isJsonObject(value)) for (const [field, item] of Object.entries(value)) this.template(item, pointerTo(pointer, field), variables, allowsDollar);
  }

  #jq(text: string, pointer: string, variables: readonly string[], where = ''): void {
    const fault = this.ports.checkExpression(text, variables);
    if (!fault) return void (variables.includes('secrets') && this.problems.push(...this.#secrets(text, pointer)));
    const known = variables.length === 0 ? 'no variables' : variables.map((name) => `$${name}`).join(', ');
    this.problems.push({
      pointer,
      message: `Expected a jq expression at ${pointer}${where}, where ${known} exist, but found ${JSON.stringify(excerpt(text.trim()))}: ${fault.message.replace(/\.$/, '')}`,
    });
  }

  /** Each secret is named where it is used, so that it is known which ones a job needs. */
  #secrets(text: string, pointer: string): readonly Problem[] {
    return secretsUsedBy(text).flatMap((name) => {
      if (name !== undefined) return undeclared(name, pointer, 'secrets', this.use['secrets']);
      return [{ pointer, message: `Expected the name of a secret, as in $secrets.name, at ${pointer} but found $secrets as a whole: ${JSON.stringify(excerpt(text.trim()))}` }];
    });
  }

  #mixed(text: string, pointer: string): void {
    this.problems.push({
      pointer,
      message: `Expected a text without \`\${\`, or one that is wholly one expression such as "\${ \\"Hello \\\\(.name)\\" }", at ${pointer} but found ${JSON.stringify(excerpt(text))}`,
    });
  }

  #embedded(text: string): string | undefined {
    return (this.ports.embeddedExpression ?? wholeExpression)(text);
  }

  /** Whether a text anywhere in a value is an expression. */
  hasExpression(value: Json): boolean {
    if (typeof value === 'string') return this.#embedded(value) !== undefined;
    return typeof value === 'object' && value !== null && Object.values(value).some((item) => this.hasExpression(item as Json));
  }
}

function wholeExpression(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed.startsWith('${') && trimmed.endsWith('}') ? trimmed.slice(2, -1) : undefined;
}
