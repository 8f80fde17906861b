// Every expression of a document, checked with the variables that exist where it stands.
import { isJsonObject, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { isKnownCall } from './functions.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { cases, objectOf, schemaProblems } from './references.js';
import { SEARCH_ATTRIBUTES_POINTER, searchAttributesOf } from './search-attributes.js';
import { ERROR_VARIABLE, errorVariableOf, loopVariablesOf, type PlacedTask } from './tasks.js';
import { excerpt } from './words.js';

/** How expressions are checked: by whoever evaluates them later. */
export interface ExpressionPorts {
  /** Says what is wrong with a jq expression that may use these variables (names without `$`), or undefined. */
  readonly checkExpression: (text: string, variables: readonly string[]) => Rejection | undefined;
  /** The jq inside a text that is wholly one `${ ... }`, or undefined. Default: what stands between `${` and the last `}`. */
  readonly embeddedExpression?: (text: string) => string | undefined;
}

// Source: Open Workflow Specification 1.0.3, dsl.md, the table of runtime expression arguments; secrets and authorization are not carried out.
const WORKFLOW_INPUT = ['workflow', 'runtime'];
const WORKFLOW_OUTPUT = ['context', 'workflow', 'runtime'];
const BEFORE_INPUT = ['context', 'task', 'workflow', 'runtime'];
const IN_TASK = ['context', 'input', 'task', 'workflow', 'runtime'];
const EXPORT = [...IN_TASK, 'output'];

/** What is wrong with the expressions of a document, and with schemas that stand among them. */
export function expressionProblems(document: JsonObject, tasks: readonly PlacedTask[], ports: ExpressionPorts): readonly Problem[] {
  const check = new ExpressionCheck(objectOf(document['use']), ports);
  check.template(searchAttributesOf(document), SEARCH_ATTRIBUTES_POINTER, []);
  check.shaping(objectOf(document['input'])['from'], '/input/from', WORKFLOW_INPUT);
  for (const [name, error] of Object.entries(objectOf(check.use['errors']))) check.template(error, pointerTo('/use/errors', name), IN_TASK);
  for (const task of tasks) check.task(task);
  check.unusedRetries();
  check.shaping(objectOf(document['output'])['as'], '/output/as', WORKFLOW_OUTPUT);
  return check.problems;
}

class ExpressionCheck {
  readonly problems: Problem[] = [];
  readonly #usedRetries = new Set<string>();

  constructor(
    readonly use: JsonObject,
    private readonly ports: ExpressionPorts,
  ) {}

  task(placed: PlacedTask): void {
    const { pointer, task, variables } = placed;
    this.bare(task['if'], `${pointer}/if`, [...BEFORE_INPUT, ...variables]);
    this.shaping(objectOf(task['input'])['from'], `${pointer}/input/from`, [...BEFORE_INPUT, ...variables]);
    this.#definition(placed, [...IN_TASK, ...variables]);
    this.shaping(objectOf(task['output'])['as'], `${pointer}/output/as`, [...IN_TASK, ...variables]);
    this.shaping(objectOf(task['export'])['as'], `${pointer}/export/as`, [...EXPORT, ...variables]);
  }

  #definition({ pointer, task, kind, variables: surrounding }: PlacedTask, variables: readonly string[]): void {
    switch (kind) {
      case 'set':
        return this.template(task['set'], `${pointer}/set`, variables);
      case 'switch':
        return cases(task).forEach(({ at, fields }) => this.bare(fields['when'], `${pointer}/switch/${at}/when`, variables));
      case 'call':
        return isKnownCall(task['call']) ? this.#arguments(objectOf(task['with']), `${pointer}/with`, variables) : undefined;
      case 'emit':
        return this.template(objectOf(objectOf(task['emit'])['event'])['with'], `${pointer}/emit/event/with`, variables);
      case 'raise': {
        const { error } = objectOf(task['raise']);
        return isJsonObject(error) ? this.template(error, `${pointer}/raise/error`, variables) : undefined;
      }
      case 'try':
        return this.#catch(objectOf(task['catch']), `${pointer}/catch`, [...IN_TASK, ...surrounding]);
      case 'for':
        this.bare(objectOf(task['for'])['in'], `${pointer}/for/in`, variables);
        return this.bare(task['while'], `${pointer}/while`, [...variables, ...loopVariablesOf(task)]);
      case 'listen':
        return this.#filter(objectOf(objectOf(objectOf(task['listen'])['to'])['one']), `${pointer}/listen/to/one`, variables);
      default:
        return undefined;
    }
  }

  #filter(filter: JsonObject, pointer: string, variables: readonly string[]): void {
    this.template(filter['with'], `${pointer}/with`, variables);
    for (const [name, correlation] of Object.entries(objectOf(filter['correlate']))) {
      const at = pointerTo(`${pointer}/correlate`, name);
      this.bare(objectOf(correlation)['from'], `${at}/from`, variables);
      this.template(objectOf(correlation)['expect'], `${at}/expect`, variables);
    }
  }

  #catch(clause: JsonObject, pointer: string, outside: readonly string[]): void {
    const variables = [...outside, errorVariableOf(clause)];
    this.bare(clause['when'], `${pointer}/when`, variables);
    this.bare(clause['exceptWhen'], `${pointer}/exceptWhen`, variables);
    const { retry } = clause;
    if (typeof retry !== 'string') return this.#retry(retry, `${pointer}/retry`, variables);
    const policies = objectOf(this.use['retries']);
    if (!Object.hasOwn(policies, retry)) return;
    this.#usedRetries.add(retry);
    this.#retry(policies[retry], pointerTo('/use/retries', retry), variables, ` (as ${pointer}/retry uses it)`);
  }

  /** Policies that nothing names are held to the default name of the error. */
  unusedRetries(): void {
    for (const [name, policy] of Object.entries(objectOf(this.use['retries']))) {
      if (!this.#usedRetries.has(name)) this.#retry(policy, pointerTo('/use/retries', name), [...IN_TASK, ERROR_VARIABLE]);
    }
  }

  #retry(policy: Json | undefined, pointer: string, variables: readonly string[], where = ''): void {
    const { when, exceptWhen } = objectOf(policy);
    this.bare(when, `${pointer}/when`, variables, where);
    this.bare(exceptWhen, `${pointer}/exceptWhen`, variables, where);
  }

  #arguments(args: JsonObject, pointer: string, variables: readonly string[]): void {
    for (const [field, value] of Object.entries(args)) {
      const at = pointerTo(pointer, field);
      const isSchema = field === 'schema' || field === 'form';
      // A schema may hold `${` in its patterns; one without expressions must be usable as it stands.
      this.template(value, at, variables, isSchema);
      if (isSchema && !this.#hasExpression(value)) this.problems.push(...schemaProblems(value, at));
    }
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
    if (!fault) return;
    const known = variables.length === 0 ? 'no variables' : variables.map((name) => `$${name}`).join(', ');
    this.problems.push({
      pointer,
      message: `Expected a jq expression at ${pointer}${where}, where ${known} exist, but found ${JSON.stringify(excerpt(text.trim()))}: ${fault.message.replace(/\.$/, '')}`,
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

  #hasExpression(value: Json): boolean {
    if (typeof value === 'string') return this.#embedded(value) !== undefined;
    return typeof value === 'object' && value !== null && Object.values(value).some((item) => this.#hasExpression(item as Json));
  }
}

function wholeExpression(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed.startsWith('${') && trimmed.endsWith('}') ? trimmed.slice(2, -1) : undefined;
}
