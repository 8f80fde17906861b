// Where a field of a task stands: what its expressions see, and whether it is an expression by itself. Source: Open Workflow Specification 1.0.3, dsl.md.
import type { Place } from './expression.js';

/** A place in a document, and how an expression is written there: as it is, or within `${ }`. */
export interface Spot {
  readonly place: Place;
  readonly bare: boolean;
}

export type Path = readonly (string | number)[];

const template = (place: Place): Spot => ({ place, bare: false });
const bare = (place: Place): Spot => ({ place, bare: true });

/** @param path from the task to the value: `['input', 'from']`. */
export function spotInTask(path: Path): Spot {
  const [head, second] = path;
  switch (head) {
    case 'if':
      return bare('before');
    case 'input':
      return shaping(path, 'before');
    case 'output':
      return shaping(path, 'output');
    case 'export':
      return shaping(path, 'export');
    case 'while':
      return bare('task');
    case 'for':
      return { place: 'task', bare: second === 'in' };
    case 'switch':
      return { place: 'task', bare: path.at(-1) === 'when' };
    case 'catch':
      return { place: 'task', bare: isCondition(path.at(-1)) };
    case 'listen':
      return second === 'to' ? spotInEvents(path.slice(2)) : template('task');
    case 'foreach':
      return spotInIteration(path.slice(1));
    case 'with':
      return second === 'subscription' ? spotInSubscription(path.slice(2)) : template('task');
    default:
      return template('task');
  }
}

/** @param path from the document. */
export function spotInDocument(path: Path): Spot {
  const [head, second] = path;
  if (head === 'input') return shaping(path, 'before');
  if (head === 'output') return shaping(path, 'workflow');
  if (head === 'schedule' && second === 'on') return spotInEvents(path.slice(2));
  if (head === 'use' && (second === 'extensions' || second === 'retries')) return { place: 'task', bare: isCondition(path.at(-1)) };
  return template('task');
}

const isCondition = (field: string | number | undefined): boolean => field === 'when' || field === 'exceptWhen';

const shaping = (path: Path, place: Place): Spot => ({ place, bare: path.length === 2 && (path[1] === 'from' || path[1] === 'as') });

function spotInEvents(path: Path): Spot {
  const field = path.at(-1);
  if (field === 'until' || (field === 'from' && path.includes('correlate'))) return bare('event');
  return template(field === 'data' && path.at(-2) === 'with' ? 'event' : 'task');
}

function spotInIteration(path: Path): Spot {
  if (path[0] === 'output') return shaping(path, 'output');
  return path[0] === 'export' ? shaping(path, 'export') : template('task');
}

const spotInSubscription = (path: Path): Spot => (path[0] === 'foreach' ? spotInIteration(path.slice(1)) : template('event'));

/** Whether a list of tasks stands at a path of a task. */
export function isTaskList(path: Path, call: unknown): boolean {
  const at = path.join('/');
  if (at === 'with/subscription/foreach/do') return call === 'asyncapi';
  return ['do', 'try', 'catch/do', 'fork/branches', 'foreach/do'].includes(at);
}
