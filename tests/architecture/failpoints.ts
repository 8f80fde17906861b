// Where sources reach failpoints, against the list that the sweep goes through.
import { FAILPOINTS } from '@weft/pipeline';
import type { Violation } from './boundaries.js';
import type { SourceTree } from './source-tree.js';

const SIDES = ['before', 'after'] as const;
const LIST = 'libs/pipeline/src/failpoint.ts';

/** Failpoints without a place on one of their sides, and places outside the service or adapter that the name begins with. */
export function failpointViolations(tree: SourceTree): readonly Violation[] {
  const reached = new Map<string, readonly string[]>();
  for (const { path, package: owner, isSpec, syntax } of tree.files) {
    if (isSpec) continue;
    for (const { callee, argumentTexts } of syntax.calls) {
      if (callee !== 'failpoint') continue;
      const [[name = ''] = [], [side = ''] = []] = argumentTexts;
      reached.set(`${name}:${side}`, [...(reached.get(`${name}:${side}`) ?? []), `${path} ${owner.folder}`]);
    }
  }
  const missing = FAILPOINTS.flatMap((name) =>
    SIDES.filter((side) => !reached.has(`${name}:${side}`)).map((side) => ({ path: LIST, message: `no source reaches ${name}:${side}: place it, or take the name out` })),
  );
  const strayed = [...reached].flatMap(([point, places]) => {
    const [scope = ''] = point.split('.');
    return places.flatMap((place) => {
      const [path = '', folder] = place.split(' ');
      return folder === `services/${scope}` || folder === `libs/adapter-${scope}` ? [] : [{ path, message: `reaches ${point}, which is a place of ${scope}` }];
    });
  });
  return [...missing, ...strayed];
}
