// An execution as a person wants to read it: when, which task, what happened and on what it rests.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { ExecutionShape, RouteShape, TimelineEntryShape, TimelineShape } from '../client/shapes.js';
import { modelLines, rejectedModels, short, SIMULATED, turnText } from './model-lines.js';
import { colors, status } from './print.js';

/** A task as it ran. Times in milliseconds; the start counts from the start of the execution. */
export interface TaskTiming {
  readonly task: string;
  readonly pointer: string;
  readonly startMs: number;
  readonly durationMs: number;
}

/** The tasks of a timeline in the order they began. A task that still runs lasts until its latest entry. */
export function tasksOf({ entries }: TimelineShape): readonly TaskTiming[] {
  const startedAt = timeOf(entries[0]);
  const tasks = new Map<string, { task: string; from: number; to: number }>();
  for (const entry of entries) {
    if (entry.pointer === '') continue;
    const at = timeOf(entry);
    const known = tasks.get(entry.pointer);
    if (known) known.to = at;
    else tasks.set(entry.pointer, { task: entry.task, from: at, to: at });
  }
  return [...tasks].map(([pointer, { task, from, to }]) => ({ task, pointer, startMs: from - startedAt, durationMs: to - from }));
}

/** The execution from its route to its output. */
export function renderExecution(execution: ExecutionShape, timeline: TimelineShape, route: RouteShape | null): string {
  const { workflow, traceId, waits = [] } = execution;
  const name = workflow ? `${workflow.namespace}/${workflow.name}:${workflow.version}` : 'execution';
  return [
    `${colors.bold(name)}  ${status(execution.status)}${lasting(execution)}`,
    colors.dim(`execution ${execution.executionId}${execution.requestId ? ` · request ${execution.requestId}` : ''}${traceId ? ` · trace ${traceId}` : ''}${originOf(execution)}`),
    ...(route ? ['', renderRoute(route)] : []),
    ...(timeline.entries.length > 0 ? ['', renderTimeline(timeline)] : []),
    ...waits.map((wait) => `${colors.yellow('waits')}   ${wait.kind} ${wait.subject}${wait.dueAt ? ` until ${wait.dueAt}` : ''} ${colors.dim(wait.id)}`),
    ...(execution.output === undefined ? [] : ['', `${colors.green('output')}  ${block(execution.output)}`]),
    ...(execution.error === undefined ? [] : ['', `${colors.red('error')}   ${errorText(execution.error)}`]),
  ].join('\n');
}

/** What routing chose and what it did not. */
export function renderRoute({ rule, tableVersion, reasons, models, rejected }: RouteShape): string {
  const candidates = models.map(({ id, reason, simulated }) => `${id}${simulated ? ` ${SIMULATED()}` : ''} ${colors.dim(`(${reason})`)}`);
  return [
    `${colors.cyan('route')}   ${rule} ${colors.dim(`table ${tableVersion.slice(0, 12)} · ${reasons.join('; ')}`)}`,
    ...(candidates.length > 0 ? [`models  ${candidates.join(', ')}`] : []),
    ...rejected.map((option) => `${colors.dim('not')}     ${option.kind} ${option.name}: ${colors.dim(option.reason)}`),
  ].join('\n');
}

/** One line for each thing that happened, with the time since the start. */
export function renderTimeline({ entries }: TimelineShape): string {
  const startedAt = timeOf(entries[0]);
  const shown = entries.filter((entry, index) => !isRepeat(entry, entries, index));
  const width = Math.max(0, ...shown.map(({ task }) => task.length));
  const indent = ' '.repeat(10 + width + 2);
  return shown
    .map((entry) => {
      const when = colors.dim(sinceText(timeOf(entry) - startedAt).padStart(8));
      const [first = '', ...more] = describe(entry, entries);
      return [`${when}  ${entry.task.padEnd(width)}  ${first}`, ...more.map((line) => indent + line)].join('\n');
    })
    .join('\n');
}

// The end of a task is worth a line only where nothing else tells of it; a scheduled job is told by its outcome.
function isRepeat(entry: TimelineEntryShape, entries: readonly TimelineEntryShape[], index: number): boolean {
  if (entry.type === 'TaskCompleted') return entries.filter((other) => isSame(other, entry)).length > 1;
  const isTold = entries.slice(index + 1).some((later) => isSame(later, entry) && later.type !== 'JobScheduled');
  if (entry.type === 'JobScheduled') return !entry.text.includes('settled') && (isTold || entries[index - 1]?.type === 'TurnBegun' || entries[index - 1]?.type === 'CallBegun');
  if (entry.type === 'TurnBegun' || entry.type === 'CallBegun') return isTold;
  if (entry.type === 'TimerFired') return true;
  return false;
}

/** Whether two entries are about the same task, and the same part of an agent. */
const isSame = (left: TimelineEntryShape, right: TimelineEntryShape): boolean => left.pointer === right.pointer && left.part === right.part;

function describe(entry: TimelineEntryShape, entries: readonly TimelineEntryShape[]): readonly string[] {
  const detail = isJsonObject(entry.detail) ? entry.detail : {};
  switch (entry.type) {
    case 'ExecutionStarted':
      return [entry.text];
    case 'JobCompleted':
      return jobDone(entry, detail, entries);
    case 'JobFailed':
      return [colors.red(`${partText(entry)}${entry.text}`), ...sentences(detail['message']), ...rejectedModels(detail['evidence'])];
    case 'ReviewRequested':
      return [`${colors.yellow('waits for a person')}: ${textOf(detail, 'title') || entry.text.replace(/^asked a person: /, '')}`];
    case 'ReviewDecided':
      return [`${colors.yellow(entry.text)}${textOf(detail, 'comment') ? `: ${textOf(detail, 'comment')}` : ''}`];
    case 'CaseChosen':
      return [colors.dim(`→ ${entry.text.replace(/^took the case /, '')}`)];
    case 'TaskCompleted':
      return [colors.dim(entry.text)];
    case 'CallRefused':
    case 'AnswerRefused':
    case 'AgentLimited':
      return [colors.yellow(entry.text), ...sentences(entry.detail)];
    case 'AgentEnded':
      return [entry.text, ...sentences(detail['detail'])];
    case 'ErrorCaught':
    case 'RetryScheduled':
      return [colors.yellow(entry.text), ...sentences(detail['detail'])];
    case 'ExecutionSuspended':
    case 'ExecutionResumed':
    case 'CancelRequested':
    case 'ExecutionRetried':
    case 'ExecutionForked':
      return [colors.yellow(entry.text), ...sentences(detail['reason'])];
    case 'ExecutionCancelled':
    case 'ExecutionTerminated':
      return [colors.red(entry.text), ...sentences(detail['reason'] ?? detail['detail'])];
    case 'CancelHandlerEnded':
      return [colors.red(entry.text), ...sentences(detail['detail'])];
    case 'ExecutionCompleted':
      return [colors.green('completed')];
    case 'ExecutionFaulted':
      return [colors.red(entry.text), ...sentences(detail['detail'])];
    default:
      return [entry.text];
  }
}

function jobDone(entry: TimelineEntryShape, detail: JsonObject, entries: readonly TimelineEntryShape[]): readonly string[] {
  const scheduled = entries.find((other) => isSame(other, entry) && other.type === 'JobScheduled');
  const took = colors.dim(scheduled ? `in ${sinceText(timeOf(entry) - timeOf(scheduled)).replace('+', '')}` : '');
  const evidence = isJsonObject(detail['evidence']) ? detail['evidence'] : {};
  const output = colors.dim(short(detail['output']));
  if (typeof evidence['candidate'] === 'string') {
    const turn = entries.find((other) => isSame(other, entry) && other.type === 'TurnBegun');
    const left = isJsonObject(turn?.detail) ? turn.detail['left'] : undefined;
    const [first = '', ...more] = modelLines(evidence, took, left);
    return [`${partText(entry)}${first}`, ...more, ...(entry.part === undefined ? [output] : turnText(detail['output']))];
  }
  if (typeof evidence['tool'] === 'string') {
    const by = evidence['by'] === 'reconcile' ? `; ${colors.yellow('its answer was lost, the reconcile hook confirmed it')}` : evidence['by'] === 'person' ? '; a person settled it' : '';
    const approved = Array.isArray(evidence['approvedBy']) ? `; approved by ${evidence['approvedBy'].join(', ')}` : '';
    return [`${partText(entry)}${evidence['tool']} done ${took} ${colors.dim(`(${textOf(evidence, 'effect')})`)}${by}${approved}`, ...permitLines(evidence), output];
  }
  const kind = scheduled?.text.split(' ')[0] ?? 'job';
  const verdict = isJsonObject(detail['output']) ? detail['output']['verdict'] : undefined;
  if (typeof verdict === 'string') return [`${kind}: ${verdict === 'pass' ? colors.green(verdict) : colors.red(verdict)} ${took}`, ...evidenceOf(detail['output'])];
  const call = entries.find((other) => isSame(other, entry) && other.type === 'CallBegun');
  return [`${partText(entry)}${call ? (call.text.split(': ').at(-1) ?? kind) : kind} done ${took}`, output];
}

const partText = ({ part }: TimelineEntryShape): string => (part === undefined ? '' : `${part}: `);

/** Why it was allowed. */
function permitLines({ permits }: JsonObject): readonly string[] {
  return Array.isArray(permits) && permits.length > 0 ? [colors.dim(`permitted by ${permits.join(', ')}`)] : [];
}

function evidenceOf(output: Json | undefined): readonly string[] {
  const evidence = isJsonObject(output) && Array.isArray(output['evidence']) ? (output['evidence'] as readonly Json[]) : [];
  return evidence.filter(isJsonObject).map((item) => colors.dim(textOf(item, 'message')));
}

/** Milliseconds as a person reads them: +12 ms, +3.4 s, +2 min 5 s. */
export function sinceText(ms: number): string {
  if (ms < 1_000) return `+${Math.round(ms)} ms`;
  if (ms < 60_000) return `+${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `+${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What an error says: its sentence, else its title, else all of it. */
export function errorText(error: Json): string {
  if (!isJsonObject(error)) return JSON.stringify(error);
  const text = textOf(error, 'detail') || textOf(error, 'message') || textOf(error, 'title') || JSON.stringify(error);
  return `${text}${typeof error['instance'] === 'string' ? colors.dim(` at ${error['instance']}`) : ''}`;
}

const lasting = ({ startedAt, endedAt }: ExecutionShape): string => (startedAt && endedAt ? ` ${colors.dim(`in ${sinceText(Date.parse(endedAt) - Date.parse(startedAt)).replace('+', '')}`)}` : '');
const timeOf = (entry: TimelineEntryShape | undefined): number => (entry ? Date.parse(entry.at) : 0);
const textOf = (object: JsonObject, field: string): string => (typeof object[field] === 'string' ? object[field] : '');
const sentences = (text: Json | undefined): readonly string[] => (typeof text === 'string' && text !== '' ? [text] : []);
const block = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2).replaceAll('\n', '\n        '));

const originOf = ({ forkedFrom, parent, children = 0 }: ExecutionShape): string =>
  `${forkedFrom ? ` · forked from ${forkedFrom}` : ''}${parent ? ` · started by ${parent}` : ''}${children > 0 ? ` · started ${children} ${children === 1 ? 'execution' : 'executions'}` : ''}`;
