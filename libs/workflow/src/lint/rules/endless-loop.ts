import { flowsOf, LEAVES, reached, successors, type Flow } from '../task-flow.js';
import type { LintRule } from '../lint-rule.js';

/** The positions from which some way leads out of the list. */
function leaving(flow: Flow): ReadonlySet<number> {
  const found = new Set<number>();
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const task of flow) if (successors(task, flow.length).some((to) => to === LEAVES || found.has(to))) found.add(task.position);
  }
  return found;
}

export const endlessLoop: LintRule = {
  id: 'endless-loop',
  severity: 'warning',
  summary: 'Tasks go back to each other with no way out, so the execution runs until it has entered the most tasks that it may.',
  check: ({ tasks }) =>
    flowsOf(tasks).flatMap((flow) => {
      const out = leaving(flow);
      const isIn = reached(flow);
      const first = flow.find(({ position }) => isIn.has(position) && !out.has(position));
      return first ? [{ pointer: first.pointer, message: `Expected a way out of the loop that \`${first.name}\` is in but each of its tasks goes on to another of them: add a \`switch\`` }] : [];
    }),
};
