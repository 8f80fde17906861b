import { objectOf } from '@weft/kernel';
import { iteratorOf } from '../../tasks.js';
import { readsVariable, type LintRule } from '../lint-rule.js';

export const unusedVariable: LintRule = {
  id: 'unused-variable',
  severity: 'warning',
  summary: 'A `catch`, a loop or an iteration names a variable that nothing inside reads.',
  check: ({ tasks }) =>
    tasks.flatMap(({ pointer, task, kind }) => {
      const iterator = iteratorOf(task);
      const holders = [
        ...(kind === 'try' ? [{ at: 'catch', fields: objectOf(task['catch']), keys: ['as'], scope: task['catch'] }] : []),
        ...(kind === 'for' ? [{ at: 'for', fields: objectOf(task['for']), keys: ['each', 'at'], scope: { do: task['do']!, while: task['while'] ?? null } }] : []),
        ...(iterator ? [{ at: iterator.at, fields: iterator.fields, keys: ['item', 'at'], scope: iterator.fields }] : []),
      ];
      return holders.flatMap(({ at, fields, keys, scope }) =>
        keys.flatMap((key) => {
          const name = fields[key];
          return typeof name === 'string' && !readsVariable(scope, name)
            ? [{ pointer: `${pointer}/${at}/${key}`, message: `Expected a use of $${name}, which ${pointer}/${at}/${key} names, but nothing inside reads it` }]
            : [];
        }),
      );
    }),
};
