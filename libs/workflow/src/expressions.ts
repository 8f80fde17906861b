// Every expression of a document, checked with the variables that exist where it stands.
import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';
import { callTargetOf } from './call-target.js';
import { DEFERRED_VARIABLES } from './deferred.js';
import { ExpressionTexts, type ExpressionPorts } from './expression-texts.js';
import { pointerTo } from './pointer.js';
import type { Problem } from './problem.js';
import { PROTOCOL_CALLS } from './schema/calls.schema.js';
import { cases, schemaProblems } from './references.js';
import { SEARCH_ATTRIBUTES_POINTER, searchAttributesOf } from './search-attributes.js';
import { ERROR_VARIABLE, errorVariableOf, extensionsOf, iteratorOf, iteratorVariablesOf, loopVariablesOf, type PlacedTask } from './tasks.js';

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

class ExpressionCheck extends ExpressionTexts {
  readonly #usedRetries = new Set<string>();

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
      if (isSchema && !this.hasExpression(value)) this.problems.push(...schemaProblems(value, at));
    }
  }
}
