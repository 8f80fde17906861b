import { describe, expect, it } from 'vitest';
import { failpointViolations } from './failpoints.js';
import { sourceTree, withPlanted } from './source-tree.js';

const tree = sourceTree();

describe('failpoints', () => {
  it('are each reached on both sides, by the service or adapter that their name begins with', () => {
    expect(failpointViolations(tree).map(({ path, message }) => `${path}: ${message}`)).toEqual([]);
  });

  it('are missed when no source reaches them any more', () => {
    const emptied = withPlanted(tree, { 'services/memory/shell/src/carry-out/memory.worker.ts': "failpoint('memory.remember', 'before');" });
    expect(failpointViolations(emptied)).toEqual([{ path: 'libs/pipeline/src/failpoint.ts', message: expect.stringContaining('memory.remember:after') }]);
  });

  it('are refused where they do not belong', () => {
    const path = 'services/memory/shell/src/planted.ts';
    expect(failpointViolations(withPlanted(tree, { [path]: "failpoint('audit.append', 'before');" }))).toEqual([{ path, message: expect.stringContaining('a place of audit') }]);
  });
});
