// The answers of tools against the output schemas that were accepted with them.
import { forbidden } from '@weft/contracts';
import { rejection, type Json } from '@weft/kernel';
import type { OfferedTool } from '@weft/tools/core';
import type { ReadAnswer } from '../carry-out/work.js';
import { ANSWER_BYTES_MAX } from '../egress/egress-client.js';
import { compileForeignSchema, type SchemaCheck } from '../registry/schemas.js';

const checks = new WeakMap<OfferedTool, SchemaCheck>();

/** What is wrong with an answer by the tool's output schema; undefined when it fits, or there is none. */
export function outputProblem(tool: OfferedTool, output: Json): string | undefined {
  if (tool.output === undefined) return undefined;
  let check = checks.get(tool);
  if (!check) {
    check = compileForeignSchema(tool.output);
    checks.set(tool, check);
  }
  const problem = check(output);
  return problem === undefined ? undefined : `${problem}, as the output schema of the tool wants`;
}

/** An answer as the task gets it: not too long, nothing in it that cannot be stored, fit for the schema. */
export function checkedAnswer(output: Json, problemOf: (output: Json) => string | undefined): ReadAnswer {
  const text = JSON.stringify(output);
  const problem = text.length > ANSWER_BYTES_MAX ? `it is longer than ${ANSWER_BYTES_MAX} bytes` : (forbidden(output, '', 0) ?? problemOf(output));
  return problem === undefined ? { output } : { output: null, unusable: rejection('output-invalid', `Expected an answer that can be used but ${problem}.`) };
}
