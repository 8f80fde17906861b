// All rules of lint, in the order of docs/authoring.md.
import type { LintRule } from './lint-rule.js';
import { constantCondition } from './rules/constant-condition.js';
import { dynamicResource } from './rules/dynamic-resource.js';
import { effectWithoutCatch } from './rules/effect-without-catch.js';
import { endlessLoop } from './rules/endless-loop.js';
import { ignoredField } from './rules/ignored-field.js';
import { listenForever } from './rules/listen-forever.js';
import { preRelease } from './rules/pre-release.js';
import { reservedName } from './rules/reserved-name.js';
import { retryWithoutLimit } from './rules/retry-without-limit.js';
import { shadowedVariable } from './rules/shadowed-variable.js';
import { switchWithoutDefault } from './rules/switch-without-default.js';
import { textLikeExpression } from './rules/text-like-expression.js';
import { unreachableTask } from './rules/unreachable-task.js';
import { unusedDefinition } from './rules/unused-definition.js';
import { unusedVariable } from './rules/unused-variable.js';
import { waitWithoutTimeout } from './rules/wait-without-timeout.js';

export const LINT_RULES: readonly LintRule[] = [
  unreachableTask,
  endlessLoop,
  switchWithoutDefault,
  listenForever,
  waitWithoutTimeout,
  retryWithoutLimit,
  effectWithoutCatch,
  unusedDefinition,
  unusedVariable,
  shadowedVariable,
  textLikeExpression,
  constantCondition,
  dynamicResource,
  ignoredField,
  reservedName,
  preRelease,
];
