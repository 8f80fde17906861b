// Schemas of what goes into a task, comes out of it and is exported: compiled once, judged where the data flow has them.
import { invariant, isJsonObject, type Json } from '@weft/kernel';
import { resourceUriOf, schemaProblem } from '@weft/workflow';
import type { Resources } from './program.js';
import { EvaluationFailed } from './evaluation-failed.js';
import { standardError, type WorkflowError } from './workflow-error.js';

/** Lets a value pass that fits. @throws SchemaViolated otherwise. */
export type DataCheck = (value: Json) => void;

/** A value does not fit the schema that its place declares: becomes a workflow error of type `validation`. */
export class SchemaViolated extends EvaluationFailed {
  constructor(
    readonly code: 'input-invalid' | 'output-invalid',
    message: string,
  ) {
    super(message);
    this.name = 'SchemaViolated';
  }

  override errorAt(instance: string): WorkflowError {
    return standardError('validation', instance, this.code, this.message);
  }
}

/** What may carry a schema. Messages say it, with the place. */
export type SchemaPlace = 'input' | 'output' | 'export';

/**
 * The check of a place's `schema`; undefined when it has none.
 * @param holder the `input`, `output` or `export`. @param pointer of what has it. @param resources what publish locked: schemas that lie elsewhere among it.
 */
export function compileDataCheck(holder: Json | undefined, place: SchemaPlace, pointer: string, resources: Resources): DataCheck | undefined {
  const schema = schemaOf(holder, resources);
  if (schema === undefined) return undefined;
  const code = place === 'input' ? 'input-invalid' : 'output-invalid';
  return (value) => {
    const problem = schemaProblem(schema, value);
    if (problem !== undefined) throw new SchemaViolated(code, `Expected the ${place} of ${pointer} to fit its schema but it does not. ${problem}`);
  };
}

/** The schema that an `input`, `output` or `export` declares, in place or elsewhere. */
export function schemaOf(holder: Json | undefined, resources: Resources): Json | undefined {
  const declared = isJsonObject(holder) ? holder['schema'] : undefined;
  return isJsonObject(declared) ? (declared['document'] ?? lockedSchema(declared['resource'], resources)) : undefined;
}

function lockedSchema(resource: Json | undefined, resources: Resources): Json | undefined {
  if (resource === undefined) return undefined;
  const uri = resourceUriOf(resource);
  const content = uri === undefined ? undefined : resources.get(uri)?.content;
  invariant(content !== undefined, `a published schema is locked: ${JSON.stringify(uri)}`);
  return content;
}
