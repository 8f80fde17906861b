// The sentences of the conformance suite, judged against an execution that ended.
import type { Json } from '@weft/kernel';
import { canonicalErrorType } from '@weft/workflow';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { ExecutionShape } from '../client/shapes.js';
import type { FeatureStep, Scenario } from './feature-file.js';

/** What a scenario asks to be run. */
export interface ScenarioRun {
  readonly definition: string;
  readonly input: Json;
  /** Definitions that the first one may run. */
  readonly others: readonly string[];
  readonly deeds: readonly Deed[];
}

/** What happens to the execution from outside, once a task of it has begun, or at once. */
export interface Deed {
  /** `send`: an event addressed to it; `publish`: one that whoever listens takes; `review`: a person decides; the others are operations. */
  readonly kind: 'send' | 'publish' | 'cancel' | 'pause' | 'resume' | 'review';
  readonly once?: string;
  /** The event, or what is decided. */
  readonly what: Json;
}

/** How it ended: the execution, its tasks by name in the order in which they began, and how often each was completed. */
export interface ScenarioEnd {
  readonly execution: ExecutionShape;
  readonly tasks: readonly string[];
  readonly runs: Readonly<Record<string, number>>;
}

type Verdict = string | undefined;
type Judge = (end: ScenarioEnd, step: FeatureStep, words: readonly string[]) => Verdict;

const yaml = (text: string | undefined): Json => (text === undefined ? null : (parse(text) as Json)) ?? null;

/** The definition and the input of a scenario. @throws Error when it has none. */
export function runOf({ steps }: Scenario): ScenarioRun {
  const definition = steps.find(({ text }) => /^a workflow with definition:?$/.test(text))?.docString;
  if (definition === undefined) throw new Error('Expected a step "a workflow with definition" with the text of one.');
  return {
    definition,
    input: yaml(steps.find(({ text }) => /^given the workflow input is:?$/.test(text))?.docString),
    others: steps.flatMap(({ text, docString }) => (/^given a workflow that it may run:?$/.test(text) && docString !== undefined ? [docString] : [])),
    deeds: steps.flatMap(deedOf),
  };
}

/** What the publishing of the definition is to be refused with; undefined when it is to be accepted. */
export const refusalOf = ({ steps }: Scenario): string | undefined => steps.find(({ text }) => REFUSED.test(text))?.docString?.trim();

const REFUSED = /^the definition should be refused with:?$/;
const SETTING = /^(?:a workflow with definition|given the workflow input is|given a workflow that it may run|the workflow is executed|the definition is published):?$/;
const DEED = /^(?:once (?<once>\S+) has begun, )?(?:(?<verb>this event is sent to it|this event is published|a person decides):?|the workflow is (?<operation>cancelled|suspended|resumed))$/;
const DEEDS: Readonly<Record<string, Deed['kind']>> = {
  'this event is sent to it': 'send',
  'this event is published': 'publish',
  'a person decides': 'review',
  cancelled: 'cancel',
  suspended: 'pause',
  resumed: 'resume',
};

function deedOf({ text, docString }: FeatureStep): readonly Deed[] {
  const { once, verb, operation } = DEED.exec(text)?.groups ?? {};
  const kind = DEEDS[verb ?? operation ?? ''];
  return kind === undefined ? [] : [{ kind, what: yaml(docString), ...(once === undefined ? {} : { once }) }];
}

const JUDGES: readonly (readonly [sentence: RegExp, judge: Judge])[] = [
  [/^the workflow should complete$/, ({ execution }) => statusProblem(execution, 'completed')],
  [/^the workflow should fault$/, ({ execution }) => statusProblem(execution, 'faulted')],
  [/^the workflow should complete with output:?$/, ({ execution }, step) => statusProblem(execution, 'completed') ?? equalProblem('the output', execution.output ?? null, yaml(step.docString))],
  [/^the workflow should fault with error:?$/, ({ execution }, step) => statusProblem(execution, 'faulted') ?? errorProblem(execution.error as Json, yaml(step.docString))],
  [
    /^the workflow output should have properties (.+)$/,
    ({ execution }, _step, [list = '']) =>
      missing(
        execution.output as Json,
        [...list.matchAll(/'([^']+)'/g)].map((match) => match[1]!),
      ),
  ],
  [/^the workflow output should have a '([^']+)' property with value:?$/, ({ execution }, step, [path = '']) => equalProblem(path, at(execution.output as Json, path), yaml(step.docString))],
  [
    /^the workflow output should have a '([^']+)' property containing (\d+) items$/,
    ({ execution }, _step, [path = '', count]) => {
      const value = at(execution.output as Json, path);
      return Array.isArray(value) && value.length === Number(count) ? undefined : `expected ${count} items in ${path} but got ${shown(value)}`;
    },
  ],
  [/^the workflow should be cancelled$/, ({ execution }) => statusProblem(execution, 'cancelled')],
  [/^(\S+) should not run$/, ({ tasks }, _step, [name = '']) => (tasks.includes(name) ? `expected ${name} not to run but ran ${tasks.join(', ')}` : undefined)],
  [/^(\S+) should run (\d+) times$/, ({ runs }, _step, [name = '', count]) => equalProblem(`the runs of ${name}`, runs[name] ?? 0, Number(count))],
  [/^(\S+) should run first$/, ({ tasks }, _step, [name]) => (tasks[0] === name ? undefined : `expected ${name} to run first but ran ${tasks.join(', ')}`)],
  [/^(\S+) should run last$/, ({ tasks }, _step, [name]) => (tasks.at(-1) === name ? undefined : `expected ${name} to run last but ran ${tasks.join(', ')}`)],
  [
    /^(\S+) should run after (\S+)$/,
    ({ tasks }, _step, [later = '', earlier = '']) =>
      tasks.includes(earlier) && tasks.indexOf(later) > tasks.indexOf(earlier) ? undefined : `expected ${later} after ${earlier} but ran ${tasks.join(', ')}`,
  ],
];

/** What a scenario asked for and did not get; nothing when it passes. A sentence that is not known counts too: it was not judged. */
export function objectionsTo({ steps }: Scenario, end: ScenarioEnd): readonly string[] {
  return steps.flatMap((step): string[] => {
    if (SETTING.test(step.text) || DEED.test(step.text) || REFUSED.test(step.text)) return [];
    for (const [sentence, judge] of JUDGES) {
      const match = sentence.exec(step.text);
      if (!match) continue;
      const problem = judge(end, step, match.slice(1));
      return problem === undefined ? [] : [`line ${step.line}: ${problem}`];
    }
    return [`line ${step.line}: no such sentence is known: ${JSON.stringify(step.text)}`];
  });
}

function statusProblem({ status, error }: ExecutionShape, wanted: string): Verdict {
  return status === wanted ? undefined : `expected it to be ${wanted} but it is ${status}${error === undefined ? '' : `: ${shown(error as Json)}`}`;
}

const equalProblem = (what: string, got: Json, wanted: Json): Verdict => (isDeepStrictEqual(got, wanted) ? undefined : `expected ${what} to be ${shown(wanted)} but got ${shown(got)}`);

/** An error has all that is wanted of it; the address of a standard type may have either spelling. */
function errorProblem(got: Json, wanted: Json): Verdict {
  const [error, expected] = [got, wanted] as readonly Readonly<Record<string, Json>>[];
  for (const [name, value] of Object.entries(expected ?? {})) {
    const problem = name === 'type' ? equalProblem('the type', canonicalErrorType(String(error?.[name])), canonicalErrorType(String(value))) : equalProblem(name, error?.[name] ?? null, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function missing(value: Json, paths: readonly string[]): Verdict {
  const absent = paths.filter((path) => at(value, path) === undefined);
  return absent.length === 0 ? undefined : `expected properties ${absent.join(', ')} but got ${shown(value)}`;
}

const at = (value: Json, path: string): Json => path.split('.').reduce<Json | undefined>((inside, name) => (inside as Readonly<Record<string, Json>> | null | undefined)?.[name], value) as Json;

const shown = (value: Json | undefined): string => (JSON.stringify(value) ?? 'nothing').slice(0, 300);
