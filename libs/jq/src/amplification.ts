/** How much bigger than its inputs the output of an expression can be, as far as its text tells. */
import type { Node, Pattern } from './ast.js';

/** Builtins whose output is no bigger than their input, or a small scalar. */
const TAME = new Set(
  'empty/0 error/0 not/0 select/1 type/0 length/0 utf8bytelength/0 keys/0 keys_unsorted/0 has/1 contains/1 startswith/1 endswith/1 isempty/1 any/0 any/1 any/2 all/0 all/1 all/2 first/0 last/0 builtins/0'.split(
    ' ',
  ),
);

/**
 * A bound on (size of an output) / (size of input and variables), or Infinity when the text gives none.
 * Infinity too for whatever may compute a number that JSON has no place for.
 */
export function amplification(node: Node): number {
  switch (node.kind) {
    case 'identity':
    case 'descend':
    case 'literal':
    case 'variable':
      return 1;
    case 'break':
      return 0;
    case 'index':
    case 'slice':
    case 'iterate':
      return amplification(node.target);
    case 'comma':
      return Math.max(...node.items.map(amplification));
    case 'pipe':
      return amplification(node.left) * amplification(node.right);
    case 'binary':
      return ['==', '!=', '<', '<=', '>', '>='].includes(node.operator) ? 1 : Number.POSITIVE_INFINITY;
    case 'logic':
      return 1;
    case 'alternative':
      return Math.max(amplification(node.left), amplification(node.right));
    case 'if':
      return Math.max(amplification(node.whenTrue), node.whenFalse === undefined ? 1 : amplification(node.whenFalse));
    case 'try':
      return Math.max(amplification(node.body), node.handler === undefined ? 1 : Number.POSITIVE_INFINITY);
    case 'bind':
      return node.patterns.every(isPlain) ? Math.max(1, amplification(node.source)) * amplification(node.body) : Number.POSITIVE_INFINITY;
    case 'label':
      return amplification(node.body);
    case 'object':
      return node.fields.reduce((sum, { key, value }) => sum + amplification(key) + amplification(value), 1);
    case 'array':
      return node.items === undefined ? 1 : listed(node.items);
    case 'call':
      return TAME.has(`${node.name}/${node.args.length}`) ? 1 : Number.POSITIVE_INFINITY;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** An array of literally listed, single items. */
function listed(items: Node): number {
  const list = items.kind === 'comma' ? items.items : [items];
  return list.every(isOneValue) ? list.reduce((sum, item) => sum + amplification(item), 1) : Number.POSITIVE_INFINITY;
}

function isOneValue(node: Node): boolean {
  switch (node.kind) {
    case 'identity':
    case 'literal':
    case 'variable':
    case 'object':
    case 'array':
      return true;
    case 'index':
      return isOneValue(node.target) && isOneValue(node.key);
    default:
      return false;
  }
}

function isPlain(pattern: Pattern): boolean {
  return pattern.kind === 'name';
}
