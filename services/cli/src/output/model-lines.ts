// Why a model answered and which tools it could call, from the evidence of its job.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { colors } from './print.js';

/** Marks everything that a scripted server said in the place of a model. */
export const SIMULATED = (): string => colors.magenta('[simulated model]');

/** Candidates that did not answer, and why. */
export function rejectedModels(evidence: Json | undefined): readonly string[] {
  return objectsIn(evidence, 'rejected').map((option) => `${colors.red('✗')} ${textIn(option, 'candidate')}: ${textIn(option, 'reason')}`);
}

/** Who answered, since when, at what cost; what else could have been. @param took how long, as text. @param left what the limits of an agent left. */
export function modelLines(evidence: JsonObject, took: string, left: Json | undefined): readonly string[] {
  const usage = isJsonObject(evidence['usage']) ? evidence['usage'] : {};
  const mark = evidence['simulated'] === true ? ` ${SIMULATED()}` : '';
  const money = Number(usage['moneyMicros'] ?? 0);
  const cost = `${Number(usage['inputTokens'] ?? 0)} + ${Number(usage['outputTokens'] ?? 0)} tokens${money > 0 ? `, ${(money / 1_000_000).toFixed(6)}` : ''}${usage['estimated'] === true ? ' (estimated)' : ''}`;
  const untried = Array.isArray(evidence['untried']) ? (evidence['untried'] as readonly Json[]).filter((one) => typeof one === 'string') : [];
  const chosen = [textIn(evidence, 'chosen'), untried.length > 0 ? `not asked: ${untried.join(', ')}` : ''].filter((text) => text !== '');
  return [
    ...rejectedModels(evidence),
    `${textIn(evidence, 'candidate')} (${textIn(evidence, 'model')})${mark} answered ${took}, ${colors.dim(cost)}`,
    ...(chosen.length > 0 ? [colors.dim(chosen.join('; '))] : []),
    ...toolLines(evidence['tools']),
    ...(isJsonObject(left) ? [colors.dim(`left then: ${leftText(left)}`)] : []),
  ];
}

/** What the model could call, and what was kept from it. */
function toolLines(tools: Json | undefined): readonly string[] {
  const offered = isJsonObject(tools) && Array.isArray(tools['offered']) ? (tools['offered'] as readonly Json[]).map(String) : undefined;
  if (offered === undefined) return [];
  return [
    colors.dim(`offered ${offered.length === 0 ? 'no tools' : offered.join(', ')}`),
    ...objectsIn(tools, 'withheld').map((tool) => colors.dim(`withheld ${textIn(tool, 'name')}: ${textIn(tool, 'reason')}`)),
  ];
}

function leftText(left: JsonObject): string {
  const { turns, calls, tokens, moneyMicros } = left;
  return [
    `${Number(turns)} turns`,
    `${Number(calls)} calls`,
    ...(typeof tokens === 'number' ? [`${tokens} tokens`] : []),
    ...(typeof moneyMicros === 'number' ? [`${(moneyMicros / 1_000_000).toFixed(6)} of money`] : []),
  ].join(', ');
}

/** What the model said in a turn: its calls, else its text. */
export function turnText(output: Json | undefined): readonly string[] {
  const calls = objectsIn(output, 'toolCalls');
  const content = isJsonObject(output) ? output['content'] : output;
  const said = content === null || content === undefined || content === '' ? [] : [short(content)];
  return [...said, ...calls.map((call) => `calls ${textIn(call, 'name')} ${colors.dim(short(call['arguments']))}`)];
}

const objectsIn = (value: Json | undefined, field: string): readonly JsonObject[] => (isJsonObject(value) && Array.isArray(value[field]) ? (value[field] as readonly Json[]).filter(isJsonObject) : []);
const textIn = (object: JsonObject, field: string): string => (typeof object[field] === 'string' ? object[field] : '');

const SHORT_MAX = 110;

/** At most so much of a value as one line takes. */
export function short(value: Json | undefined): string {
  const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > SHORT_MAX ? `${text.slice(0, SHORT_MAX)}…` : text;
}
