import { describe, expect, it } from 'vitest';
import { namingViolations } from './naming.js';
import { sourceTree, withPlanted } from './source-tree.js';

const tree = sourceTree();

describe('names', () => {
  it('follow the house style everywhere', () => {
    expect(namingViolations(tree).map(({ path, message }) => `${path}: ${message}`)).toEqual([]);
  });

  it.each([
    ['libs/kernel/src/plantedFile.ts', '', 'kebab-case'],
    ['libs/kernel/src/planted-utils.ts', '', '`utils`'],
    ['libs/kernel/src/planted.helper.ts', '', '`helper`'],
    ['libs/kernel/src/planted.spec.ts', '', 'its level'],
    ['libs/kernel/src/planted/index.ts', '', 'one index.ts'],
    ['libs/kernel/src/planted.ts', 'export class ExecutionManager {}', 'ExecutionManager'],
    ['libs/kernel/src/planted.ts', 'export interface IStore {}', 'IStore'],
    ['libs/kernel/src/planted.ts', 'export abstract class BaseStore {}', 'BaseStore'],
  ])('are refused in %s %s', (path, text, reason) => {
    expect(namingViolations(withPlanted(tree, { [path]: text })).filter((violation) => violation.path === path)).toEqual([{ path, message: expect.stringContaining(reason) }]);
  });
});
