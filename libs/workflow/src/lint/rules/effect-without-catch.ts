import { objectOf, type JsonObject } from '@weft/kernel';
import { canonicalErrorType, ERROR_TYPES } from '../../error-type.js';
import { around, type LintRule } from '../lint-rule.js';

const SAFE_METHODS: readonly unknown[] = ['get', 'head', 'options'];
const UNKNOWN_OUTCOMES: readonly string[] = [ERROR_TYPES.communication.type, ERROR_TYPES.timeout.type];

/** Whether a task changes something outside, as far as its document tells. */
function hasEffect(task: JsonObject): boolean {
  const args = objectOf(task['with']);
  switch (task['call']) {
    case 'http':
      return !SAFE_METHODS.includes(String(args['method']).toLowerCase());
    case 'mcp':
      return args['method'] === 'tools/call';
    case 'asyncapi':
      return args['message'] !== undefined;
    case 'grpc':
    case 'a2a':
    case 'tool':
      return true;
    default:
      return objectOf(task['run'])['container'] !== undefined || objectOf(task['run'])['shell'] !== undefined;
  }
}

function takesUnknownOutcomes(task: JsonObject): boolean {
  const { type, status } = objectOf(objectOf(objectOf(task['catch'])['errors'])['with']);
  return type === undefined ? status === undefined || Number(status) >= 500 : UNKNOWN_OUTCOMES.includes(canonicalErrorType(String(type)));
}

export const effectWithoutCatch: LintRule = {
  id: 'effect-without-catch',
  severity: 'info',
  summary: 'A call changes something outside and no `try` around it takes a communication error: when its outcome is not known, the execution faults.',
  check: ({ tasks }) =>
    tasks
      .filter(({ pointer, task }) => hasEffect(task) && !around(tasks, pointer, 'try/').some((outer) => outer.kind === 'try' && takesUnknownOutcomes(outer.task)))
      .map(({ pointer }) => ({ pointer, message: `Expected a \`try\` around ${pointer} that catches communication errors, as it changes something outside, but there is none` })),
};
