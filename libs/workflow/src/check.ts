// The checks of publish: shape by kind, names, flow targets, durations, schemas and every expression.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseDuration } from './duration.js';
import { FUNCTIONS, functionNameOf, HTTP_CALL, isFunctionName } from './functions.js';
import type { Problem, WorkflowPorts } from './parse.js';
import { schemaFault } from './schema-problem.js';
import { DOCUMENT_SCHEMA, OTHER_KINDS, TASK_SCHEMAS, type TaskKind } from './task-schema.js';

const ajv = new Ajv2020({ strict: false, allErrors: true });
const documentShape = ajv.compile(DOCUMENT_SCHEMA);
const taskShapes = Object.fromEntries(Object.entries(TASK_SCHEMAS).map(([kind, schema]) => [kind, ajv.compile(schema)])) as Record<TaskKind, ValidateFunction>;
const callShapes: Readonly<Record<string, ValidateFunction>> = Object.fromEntries([...Object.entries(FUNCTIONS), ['http', HTTP_CALL] as const].map(([name, schema]) => [name, ajv.compile(schema)]));

const VARIABLES = ['context', 'input', 'output', 'task', 'workflow', 'runtime'] as const;
const DIRECTIVES = ['continue', 'exit', 'end'];
const KINDS = Object.keys(TASK_SCHEMAS) as TaskKind[];

/** Everything wrong with a document, in the order of the document. */
export function checkDocument(document: JsonObject, ports: WorkflowPorts): Problem[] {
  const check = new Check(document, ports);
  check.all();
  return check.problems;
}

class Check {
  readonly problems: Problem[] = [];
  readonly #use: JsonObject;

  constructor(
    private readonly document: JsonObject,
    private readonly ports: WorkflowPorts,
  ) {
    this.#use = objectOf(document['use']);
  }

  all(): void {
    this.#shape(documentShape, this.document, '', 'a definition');
    const input = objectOf(this.document['input']);
    const schema = objectOf(input['schema'])['document'];
    if (schema !== undefined) this.#schema(schema, '/input/schema/document');
    this.#value(input['from'], '/input/from', ['workflow', 'runtime'], true);
    this.#value(objectOf(this.document['output'])['as'], '/output/as', VARIABLES, true);
    for (const [name, policy] of Object.entries(objectOf(this.#use['retries']))) this.#retry(policy, `/use/retries/${escape(name)}`, []);
    if (Array.isArray(this.document['do'])) this.#tasks(this.document['do'] as readonly Json[], '/do', []);
  }

  #tasks(list: readonly Json[], pointer: string, names: readonly string[]): void {
    const entries = list.map((entry, position) => ({ entry, at: `${pointer}/${position}` }));
    const scope = new Set<string>();
    for (const { entry, at } of entries) {
      if (!isJsonObject(entry) || Object.keys(entry).length !== 1) this.#problem(at, 'Expected a task: an object with one key, its name.');
      else {
        const [name] = Object.keys(entry);
        if (scope.has(name!)) this.#problem(at, `Expected task names that differ within a list but \`${name}\` stands there twice.`);
        if (DIRECTIVES.includes(name!)) this.#problem(at, `Expected a task name other than ${DIRECTIVES.join(', ')}: those are flow directives.`);
        scope.add(name!);
      }
    }
    for (const { entry, at } of entries) {
      if (!isJsonObject(entry)) continue;
      for (const [name, task] of Object.entries(entry)) this.#task(task, `${at}/${escape(name)}`, names, scope);
    }
  }

  #task(task: Json, pointer: string, names: readonly string[], scope: ReadonlySet<string>): void {
    if (!isJsonObject(task)) return this.#problem(pointer, 'Expected a task to be an object.');
    const kind = KINDS.find((candidate) => candidate in task);
    if (!kind) {
      const other = OTHER_KINDS.find((candidate) => candidate in task);
      return this.#problem(pointer, other ? `Expected a task this engine carries out (${KINDS.join(', ')}) but this is a \`${other}\`, which it does not yet.` : `Expected a task of one kind (${KINDS.join(', ')}) but its keys are ${Object.keys(task).join(', ') || 'none'}.`);
    }
    this.#shape(taskShapes[kind], task, pointer, `a \`${kind}\` task`);
    this.#expression(task['if'], `${pointer}/if`, names);
    this.#value(objectOf(task['input'])['from'], `${pointer}/input/from`, [...VARIABLES, ...names], true);
    this.#value(objectOf(task['output'])['as'], `${pointer}/output/as`, [...VARIABLES, ...names], true);
    this.#value(objectOf(task['export'])['as'], `${pointer}/export/as`, [...VARIABLES, ...names], true);
    this.#then(task['then'], `${pointer}/then`, scope);
    this.#kind(kind, task, pointer, names, scope);
  }

  #kind(kind: TaskKind, task: JsonObject, pointer: string, names: readonly string[], scope: ReadonlySet<string>): void {
    const values = [...VARIABLES, ...names];
    switch (kind) {
      case 'do':
        return this.#list(task['do'], `${pointer}/do`, names);
      case 'set':
        return this.#value(task['set'], `${pointer}/set`, values, false);
      case 'emit':
        return this.#value(objectOf(objectOf(task['emit'])['event'])['with'], `${pointer}/emit/event/with`, values, false);
      case 'wait':
        return this.#duration(task['wait'], `${pointer}/wait`);
      case 'call':
        return this.#call(task, pointer, values);
      case 'raise': {
        const error = objectOf(task['raise'])['error'];
        if (typeof error === 'string') return this.#reference('errors', error, `${pointer}/raise/error`);
        return this.#value(error, `${pointer}/raise/error`, values, false);
      }
      case 'switch':
        (Array.isArray(task['switch']) ? (task['switch'] as readonly Json[]) : []).forEach((entry, position) => {
          for (const [name, one] of Object.entries(objectOf(entry))) {
            const at = `${pointer}/switch/${position}/${escape(name)}`;
            this.#expression(objectOf(one)['when'], `${at}/when`, names);
            this.#then(objectOf(one)['then'], `${at}/then`, scope);
          }
        });
        return;
      case 'try': {
        this.#list(task['try'], `${pointer}/try`, names);
        const clause = objectOf(task['catch']);
        const inside = [...names, typeof clause['as'] === 'string' ? clause['as'] : 'error'];
        this.#expression(clause['when'], `${pointer}/catch/when`, inside);
        this.#expression(clause['exceptWhen'], `${pointer}/catch/exceptWhen`, inside);
        if (typeof clause['retry'] === 'string') this.#reference('retries', clause['retry'], `${pointer}/catch/retry`);
        else this.#retry(clause['retry'], `${pointer}/catch/retry`, inside);
        return this.#list(clause['do'], `${pointer}/catch/do`, inside);
      }
    }
  }

  #call(task: JsonObject, pointer: string, names: readonly string[]): void {
    const call = task['call'];
    if (typeof call !== 'string') return;
    const name = functionNameOf(call);
    const shape = name === 'http' || isFunctionName(name) ? callShapes[name] : undefined;
    if (!shape) return this.#problem(`${pointer}/call`, `Expected a call this engine carries out (http, ${Object.keys(FUNCTIONS).join(', ')}) but got ${JSON.stringify(call)}.`);
    this.#shape(shape, task['with'] ?? {}, `${pointer}/with`, `the arguments of \`${name}\``);
    // A schema is data for the model or the validator: nothing inside it is an expression.
    const { schema, ...rest } = objectOf(task['with']);
    this.#value(rest, `${pointer}/with`, names, false);
    if (typeof schema === 'string') this.#value(schema, `${pointer}/with/schema`, names, false);
    else if (schema !== undefined) this.#schema(schema, `${pointer}/with/schema`);
  }

  #list(list: Json | undefined, pointer: string, names: readonly string[]): void {
    if (Array.isArray(list)) this.#tasks(list as readonly Json[], pointer, names);
  }

  #retry(policy: Json | undefined, pointer: string, names: readonly string[]): void {
    const fields = objectOf(policy);
    this.#duration(fields['delay'], `${pointer}/delay`);
    this.#duration(objectOf(fields['jitter'])['from'], `${pointer}/jitter/from`);
    this.#duration(objectOf(fields['jitter'])['to'], `${pointer}/jitter/to`);
    this.#expression(fields['when'], `${pointer}/when`, names);
    this.#expression(fields['exceptWhen'], `${pointer}/exceptWhen`, names);
  }

  #then(target: Json | undefined, pointer: string, scope: ReadonlySet<string>): void {
    if (typeof target !== 'string' || DIRECTIVES.includes(target) || scope.has(target)) return;
    this.#problem(pointer, `Expected \`then\` to be ${DIRECTIVES.join(', ')} or a task of the same list (${[...scope].join(', ')}) but got ${JSON.stringify(target)}.`);
  }

  #reference(kind: 'errors' | 'retries', name: string, pointer: string): void {
    const known = Object.keys(objectOf(this.#use[kind]));
    if (!known.includes(name)) this.#problem(pointer, `Expected a name declared in use.${kind} (${known.join(', ') || 'none is'}) but got ${JSON.stringify(name)}.`);
  }

  #duration(value: Json | undefined, pointer: string): void {
    if (value === undefined) return;
    const reading = parseDuration(value);
    if (!reading.ok) this.#problem(pointer, reading.rejection.message);
  }

  #schema(schema: Json, pointer: string): void {
    const fault = schemaFault(schema);
    if (fault !== undefined) this.#problem(pointer, `Expected a JSON Schema (draft 2020-12) but ${fault}.`);
  }

  /** Where the specification wants an expression: bare jq, or the same inside `${ }`. */
  #expression(text: Json | undefined, pointer: string, names: readonly string[]): void {
    if (typeof text === 'string') this.#jq(embedded(text) ?? text, pointer, [...VARIABLES, ...names]);
  }

  /** A value with `${ }` texts somewhere inside; `bare`: a text by itself is an expression even without them. */
  #value(value: Json | undefined, pointer: string, names: readonly string[], bare: boolean): void {
    if (typeof value === 'string') {
      const inner = embedded(value);
      if (inner !== undefined) this.#jq(inner, pointer, names);
      else if (bare) this.#jq(value, pointer, names);
      else if (value.includes('${')) this.#problem(pointer, `Expected a whole-string expression such as "\${ .name }" but ${JSON.stringify(value)} embeds one in a text. Write "\${ \\"text \\\\(.name)\\" }".`);
    } else if (Array.isArray(value)) (value as readonly Json[]).forEach((item, index) => this.#value(item, `${pointer}/${index}`, names, false));
    else if (isJsonObject(value)) for (const [name, item] of Object.entries(value)) this.#value(item, `${pointer}/${escape(name)}`, names, false);
  }

  #jq(text: string, pointer: string, names: readonly string[]): void {
    const fault = this.ports.checkExpression(text, names);
    if (fault) this.#problem(pointer, fault.message);
  }

  #shape(validate: ValidateFunction, value: Json, pointer: string, what: string): void {
    if (validate(value)) return;
    const seen = new Set<string>();
    for (const error of meant(validate.errors ?? [])) {
      const message = `Expected ${what} ${sentence(error)}.`;
      const at = pointer + error.instancePath;
      if (!seen.has(at + message)) this.#problem(at, message);
      seen.add(at + message);
    }
  }

  #problem(pointer: string, message: string): void {
    this.problems.push({ pointer, message });
  }
}

/** Of the branches of an `anyOf` only the summary is kept: a wall of alternatives helps nobody. */
function meant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const alternatives = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.schemaPath);
  return errors.filter((error) => !alternatives.some((path) => error.schemaPath.startsWith(`${path}/`)));
}

function sentence({ instancePath, keyword, params, message }: ErrorObject): string {
  const where = instancePath === '' ? '' : `at ${instancePath} `;
  if (keyword === 'additionalProperties') return `${where}to know its keys, but \`${String(params['additionalProperty'])}\` is not one it carries out`;
  if (keyword === 'required') return `${where}to have \`${String(params['missingProperty'])}\``;
  if (keyword === 'anyOf') return `${where}to have one of the allowed forms`;
  if (keyword === 'enum') return `${where}to be one of ${JSON.stringify(params['allowedValues'])}`;
  return `${where}to be right: it ${message ?? 'is not'}`;
}

const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

/** The jq inside a whole-string `${ }`. */
const embedded = (text: string): string | undefined => /^\s*\$\{([\s\S]*)\}\s*$/.exec(text)?.[1];

const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
