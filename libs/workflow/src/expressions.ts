// Every expression of a document, checked with the variables that exist where it stands.
import { isJsonObject, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { undeclared } from './authentication.js';
import { callTargetOf } from './call-target.js';
import { DEFERRED_VARIABLES, secretsUsedBy } from './deferred.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { PROTOCOL_CALLS } from './schema/calls.schema.js';
import { cases, objectOf, schemaProblems } from './references.js';
import { SEARCH_ATTRIBUTES_POINTER, searchAttributesOf } from './search-attributes.js';
import { ERROR_VARIABLE, errorVariableOf, extensionsOf, iteratorOf, iteratorVariablesOf, loopVariablesOf, type PlacedTask } from './tasks.js';
import { excerpt } from './words.js';

/** How expressions are checked: by whoever evaluates them later. */
export interface ExpressionPorts {
  /** Says what is wrong with a jq expression that may use these variables (names without `$`), or undefined. */
  readonly checkExpression: (text: string, variables: readonly string[]) => Rejection | undefined;
  /** The jq inside a text that is wholly one `${ ... }`, or undefined. Default: what stands between `${` and the last `}`. */
  readonly embeddedExpression?: (text: string) => string | undefined;
}

// Source: Open Workflow Specification 1.0.3, dsl.md, the table of runtime expression arguments. Secrets and credentials are known to the worker alone: they exist in
// the arguments of calls that leave, and nowhere else.
const WORKFLOW_INPUT = ['workflow', 'runtime'];
const WORKFLOW_OUTPUT = ['context', 'workflow', 'runtime'];
const BEFORE_INPUT = ['context', 'task', 'workflow', 'runtime'];
const IN_TASK = ['context', 'input', 'task', 'workflow', 'runtime'];
const EXPORT = [...IN_TASK, 'output'];
// Before there is an execution.
const SCHEDULE = ['runtime'];
// Texts in which `${` means something to a shell or a script.
const CODE = ['code', 'command'];

/** What is wrong with the expressions of a document, and with schemas that stand among them. */
export function expressionProblems(document: JsonObject, tasks: readonly PlacedTask[], ports: ExpressionPorts): readonly Problem[] {
  const check = new ExpressionCheck(objectOf(document['use']), ports);
  check.template(searchAttributesOf(document), SEARCH_ATTRIBUTES_POINTER, []);
  check.shaping(objectOf(document['input'])['from'], '/input/from', WORKFLOW_INPUT);
  check.schedule(objectOf(document['schedule']));
  check.timeout(document['timeout'], '/timeout', WORKFLOW_INPUT);
  check.reusable();
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

  schedule({ every, after, on }: JsonObject): void {
    this.duration(every, '/schedule/every', SCHEDULE);
    this.duration(after, '/schedule/after', SCHEDULE);
    this.#strategy(objectOf(on), '/schedule/on', SCHEDULE);
  }

  /** What `use` defines once; functions are tasks, and retry policies are judged where they are used. */
  reusable(): void {
    for (const [section, more] of Object.entries({ errors: [], authentications: ['secrets'], catalogs: [] }))
      for (const [name, definition] of Object.entries(objectOf(this.use[section]))) this.template(definition, pointerTo(`/use/${section}`, name), [...IN_TASK, ...more]);
    for (const [name, timeout] of Object.entries(objectOf(this.use['timeouts']))) this.timeout(timeout, pointerTo('/use/timeouts', name), IN_TASK);
    for (const { pointer, extension } of extensionsOf(this.use)) this.bare(extension['when'], `${pointer}/when`, BEFORE_INPUT);
  }

  timeout(timeout: Json | undefined, pointer: string, variables: readonly string[]): void {
    this.duration(objectOf(timeout)['after'], `${pointer}/after`, variables);
  }

  /** A duration may be one expression. */
  duration(value: Json | undefined, pointer: string, variables: readonly string[], where = ''): void {
    const inner = typeof value === 'string' ? this.#embedded(value) : undefined;
    if (inner !== undefined) this.#jq(inner, pointer, variables, where);
  }

  task(placed: PlacedTask): void {
    const { pointer, task, variables } = placed;
    this.timeout(task['timeout'], `${pointer}/timeout`, [...IN_TASK, ...variables]);
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
        return this.#call(task, pointer, variables);
      case 'run':
        return Object.entries(objectOf(task['run'])).forEach(([what, process]) => this.#process(process as Json, `${pointer}/run/${what}`, variables));
      case 'wait':
        return this.duration(task['wait'], `${pointer}/wait`, variables);
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
        this.#strategy(objectOf(objectOf(task['listen'])['to']), `${pointer}/listen/to`, variables);
        return this.#iterator(task, pointer, variables);
      default:
        return undefined;
    }
  }

  #call(task: JsonObject, pointer: string, variables: readonly string[]): void {
    if (typeof task['call'] !== 'string' || !callTargetOf(task['call'], this.use)) return;
    const { subscription, ...args } = objectOf(task['with']);
    this.#arguments(args, `${pointer}/with`, PROTOCOL_CALLS.includes(task['call']) ? [...variables, ...DEFERRED_VARIABLES] : variables);
    if (task['call'] !== 'asyncapi') return this.template(subscription, `${pointer}/with/subscription`, variables);
    const { filter, consume } = objectOf(subscription);
    this.template(filter, `${pointer}/with/subscription/filter`, variables);
    this.template(consume, `${pointer}/with/subscription/consume`, variables);
    this.#iterator(task, pointer, variables);
  }

  #process(process: Json, pointer: string, variables: readonly string[]): void {
    for (const [field, value] of Object.entries(objectOf(process))) this.template(value, pointerTo(pointer, field), [...variables, 'secrets'], CODE.includes(field));
  }

  /** What shapes each event or message; the tasks in it are judged as tasks. */
  #iterator(task: JsonObject, pointer: string, outside: readonly string[]): void {
    const iterator = iteratorOf(task);
    if (!iterator) return;
    const variables = [...outside, ...iteratorVariablesOf(iterator.fields)];
    this.shaping(objectOf(iterator.fields['output'])['as'], `${pointer}/${iterator.at}/output/as`, variables);
    this.shaping(objectOf(iterator.fields['export'])['as'], `${pointer}/${iterator.at}/export/as`, [...variables, 'output']);
  }

  #strategy(strategy: JsonObject, pointer: string, variables: readonly string[]): void {
    const { all, any, one, until } = strategy;
    if (isJsonObject(one)) this.#filter(one, `${pointer}/one`, variables);
    for (const [field, list] of Object.entries({ all, any }))
      if (Array.isArray(list)) (list as readonly Json[]).forEach((filter, position) => this.#filter(objectOf(filter), `${pointer}/${field}/${position}`, variables));
    this.bare(until, `${pointer}/until`, variables);
    if (isJsonObject(until)) this.#strategy(until, `${pointer}/until`, variables);
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
    if (typeof retry !== 'string') return this.#retry(retry, `${pointer}/retry`, outside, variables);
    const policies = objectOf(this.use['retries']);
    if (!Object.hasOwn(policies, retry)) return;
    this.#usedRetries.add(retry);
    this.#retry(policies[retry], pointerTo('/use/retries', retry), outside, variables, ` (as ${pointer}/retry uses it)`);
  }

  /** Policies that nothing names are held to the default name of the error. */
  unusedRetries(): void {
    for (const [name, policy] of Object.entries(objectOf(this.use['retries']))) {
      if (!this.#usedRetries.has(name)) this.#retry(policy, pointerTo('/use/retries', name), IN_TASK, [...IN_TASK, ERROR_VARIABLE]);
    }
  }

  /** Time limits begin with the `try`: @param outside what exists before anything failed. */
  #retry(policy: Json | undefined, pointer: string, outside: readonly string[], variables: readonly string[], where = ''): void {
    const { when, exceptWhen, delay, jitter, limit } = objectOf(policy);
    const { attempt, duration } = objectOf(limit);
    const waits = { delay, 'jitter/from': objectOf(jitter)['from'], 'jitter/to': objectOf(jitter)['to'] };
    const limits = { 'limit/duration': duration, 'limit/attempt/duration': objectOf(attempt)['duration'] };
    for (const [field, value] of Object.entries(waits)) this.duration(value, `${pointer}/${field}`, variables, where);
    for (const [field, value] of Object.entries(limits)) this.duration(value, `${pointer}/${field}`, outside, where);
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

  #hasExpression(value: Json): boolean {
    if (typeof value === 'string') return this.#embedded(value) !== undefined;
    return typeof value === 'object' && value !== null && Object.values(value).some((item) => this.#hasExpression(item as Json));
  }
}

function wholeExpression(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed.startsWith('${') && trimmed.endsWith('}') ? trimmed.slice(2, -1) : undefined;
}
