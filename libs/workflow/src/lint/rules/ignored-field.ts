import { objectOf, type JsonObject } from '@weft/kernel';
import { pointerTo } from '../../pointer.js';
import { CALLS } from '../../schema/calls.schema.js';
import type { LintRule } from '../lint-rule.js';

/** Objects that the standard leaves open, with the fields that mean something there. */
function openObjects(task: JsonObject): readonly { readonly at: string; readonly value: JsonObject; readonly known: readonly string[] }[] {
  if (task['emit'] !== undefined) return [{ at: '/emit/event', value: objectOf(objectOf(task['emit'])['event']), known: ['with'] }];
  if (task['call'] !== 'mcp') return [];
  const args = objectOf(task['with']);
  const transport = objectOf(args['transport']);
  const fieldsOf = (schema: unknown): JsonObject => objectOf(objectOf(schema as JsonObject)['properties']);
  const fields = fieldsOf(CALLS['mcpArguments']);
  const transports = fieldsOf(fields['transport']);
  return [
    { at: '/with', value: args, known: Object.keys(fields) },
    { at: '/with/transport', value: transport, known: Object.keys(transports) },
    { at: '/with/transport/stdio', value: objectOf(transport['stdio']), known: Object.keys(fieldsOf(transports['stdio'])) },
  ];
}

export const ignoredField: LintRule = {
  id: 'ignored-field',
  severity: 'warning',
  summary: 'A field is taken and has no effect, as the standard leaves the place open and means nothing by it: often a slip of the pen.',
  check: ({ tasks }) =>
    tasks.flatMap(({ pointer, task }) =>
      openObjects(task).flatMap(({ at, value, known }) =>
        Object.keys(value)
          .filter((field) => !known.includes(field))
          .map((field) => ({
            pointer: pointerTo(`${pointer}${at}`, field),
            message: `Expected only ${known.map((name) => `\`${name}\``).join(', ')} in ${pointer}${at} but found \`${field}\`, which has no effect`,
          })),
      ),
    ),
};
