/** Builtins that name places inside a value. */
import type { Json } from '@weft/kernel';
import { deletePaths, getPath, indices, setPath } from '../access.js';
import { many, reached, single, type Code } from '../code.js';
import { raise } from '../failure.js';
import { below, keysFrom, ROOT, type Path } from '../path.js';
import { ELEMENT_BYTES, isArray } from '../value.js';
import { filters, values, type BuiltinEntry } from './define.js';

export const PATHS: readonly BuiltinEntry[] = [
  filters('path/1', ([f]) => many((meter, env, input, emit) => f!.paths(meter, env, ROOT, input, (path, value) => emit(keysFrom(meter, reached(meter, path, value)))))),
  filters('getpath/1', ([keys]) => getPathOf(keys!)),
  values('setpath/2', (meter, input, keys, value) => setPath(meter, input, pathKeys(keys!), value!, new Set())),
  values('delpaths/1', (meter, input, paths) => (isArray(paths!) ? deletePaths(meter, input, paths) : raise('Paths must be specified as an array'))),
  filters('del/1', ([f]) => remove(f!)),
  values('indices/1', (meter, input, needle) => indices(meter, input, needle!)),
  values('index/1', (meter, input, needle) => at(indices(meter, input, needle!), 0)),
  values('rindex/1', (meter, input, needle) => at(indices(meter, input, needle!), -1)),
];

function pathKeys(keys: Json): readonly Json[] {
  return isArray(keys) ? keys : raise('Path must be specified as an array');
}

function at(found: Json, position: number): Json {
  return isArray(found) ? (found.at(position) ?? null) : null;
}

function getPathOf(keys: Code): Code {
  const { one, each } = values('getpath/1', (meter, input, path) => getPath(meter, input, pathKeys(path!)))[1]([keys], []);
  return {
    one,
    each,
    paths: (meter, env, path, input, emit) =>
      keys.each(meter, env, input, (given) => {
        const list = pathKeys(given);
        meter.work(list.length);
        meter.take(list.length * ELEMENT_BYTES);
        const start: Path | undefined = path;
        emit(start && list.reduce<Path>(below, start), getPath(meter, input, list));
      }),
  };
}

function remove(f: Code): Code {
  return single((meter, env, input) => {
    const doomed: Json[] = [];
    f.paths(meter, env, ROOT, input, (path, value) => {
      meter.step();
      doomed.push(keysFrom(meter, reached(meter, path, value)));
    });
    return deletePaths(meter, input, doomed);
  });
}
