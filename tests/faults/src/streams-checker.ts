// Judges streams by what the model server wrote down and what a client saw, with the meaning of each break written down once more.

/** What was planned for one chat. */
export interface StreamCase {
  readonly id: string;
  readonly policy: 'abort' | 'restart-visible' | 'continue-from-prefix';
  /** How the first model breaks; none: it does not. */
  readonly fault: 'none' | 'cut' | 'bad-chunk' | 'stall' | 'error';
  /** Pieces that the first model sends before. */
  readonly after: number;
  /** Whether the client wants to be told when an answer begins anew. */
  readonly wantsRestarts: boolean;
  /** What the first and the second model would say in full. */
  readonly first: string;
  readonly second: string;
}

/** What the client saw of it. */
export interface StreamSeen {
  readonly id: string;
  readonly execution: string;
  /** What it has at the end; what came before a restart that it was told of is forgotten. */
  readonly text: string;
  readonly restarts: number;
  /** Code of the error that ended the stream; empty when it ended well. */
  readonly error: string;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  /** Calls of models that the evidence of the execution holds. */
  readonly calls: number;
}

/** A request as the model server wrote it down. */
export interface ModelLine {
  readonly execution: string;
  readonly model: string;
  readonly turn: number;
  readonly text: string;
  readonly sent: string;
  readonly isWhole: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface StreamVerdict {
  readonly chats: number;
  readonly broken: number;
  readonly benign: number;
  readonly benignWell: number;
  readonly modelCalls: number;
  /** Chats whose usage is that of their answer, once. */
  readonly billedOnce: number;
  readonly violations: readonly string[];
}

/** Characters of one piece of the scripted model. */
const PIECE = 16;
// Parts that were cut off are counted by Weft, not by the provider.
const CHARACTERS_PER_TOKEN = 4;
const TOKENS_OFF_MAX = 8;
const BENIGN_PER_CENT_MIN = 99;
const SENTENCES_MAX = 20;

export function judgeStreams(cases: readonly StreamCase[], seen: readonly StreamSeen[], lines: readonly ModelLine[]): StreamVerdict {
  const violations: string[] = [];
  const [seenOf, linesOf] = [new Map(seen.map((one) => [one.id, one])), Map.groupBy(lines, ({ execution }) => execution)];
  let [benign, benignWell, billedOnce] = [0, 0, 0];
  for (const planned of cases) {
    const got = seenOf.get(planned.id);
    const isBenign = planned.fault === 'none';
    if (isBenign) benign++;
    const problems = got ? problemsOf(planned, got, linesOf.get(got.execution) ?? []) : ['nobody saw how it ended'];
    if (got && problems.length === 0 && got.error === '') billedOnce++;
    if (isBenign && problems.length === 0) benignWell++;
    // Of benign ones some may fail; what breaks has to break as it is declared.
    if (!isBenign || got) violations.push(...problems.filter((problem) => !isBenign || problem.startsWith('!')).map((problem) => `${planned.id}: ${problem.replace(/^!/, '')}`));
  }
  if (benign === 0) violations.push('Expected benign chats but none was asked for.');
  else if (benignWell * 100 < benign * BENIGN_PER_CENT_MIN) violations.push(`Expected at least ${BENIGN_PER_CENT_MIN} % of benign chats to go well but ${benignWell} of ${benign} did.`);
  const strays = lines.filter(({ execution }) => !seen.some((one) => one.execution === execution));
  if (strays.length > 0) violations.push(`Expected every model call to belong to a chat but ${strays.length} do not.`);
  const shown = violations.length > SENTENCES_MAX ? [...violations.slice(0, SENTENCES_MAX), `and ${violations.length - SENTENCES_MAX} more`] : violations;
  return { chats: cases.length, broken: cases.length - benign, benign, benignWell, modelCalls: lines.length, billedOnce, violations: shown };
}

/** What must come of a chat. `!` marks what no chat may do, benign or not. */
function problemsOf(planned: StreamCase, got: StreamSeen, lines: readonly ModelLine[]): readonly string[] {
  const expected = expectedOf(planned);
  const problems: string[] = [];
  if (got.text !== expected.text) problems.push(`expected ${JSON.stringify(short(expected.text))} to be shown but it was ${JSON.stringify(short(got.text))}`);
  if (got.error !== expected.error) problems.push(`expected ${expected.error === '' ? 'no error' : `the error ${expected.error}`} but got ${got.error === '' ? 'none' : got.error}`);
  if (got.restarts !== expected.restarts) problems.push(`expected ${expected.restarts} restarts to be told but there were ${got.restarts}`);
  const asked = lines.map(({ model }) => (model === 'second' ? 'second' : 'first')).sort();
  if (asked.join() !== expected.asked.join()) problems.push(`!expected calls of ${expected.asked.join(', ')} but the models saw ${asked.join(', ') || 'none'}`);
  if (got.calls !== lines.length) problems.push(`!expected ${lines.length} calls to be accounted for, as the models saw, but the evidence has ${got.calls}`);
  const continued = lines.find(({ turn }) => turn === 1);
  if (expected.isContinued && continued?.text.endsWith(shownOf(planned)) !== true) problems.push('expected the second model to be given what was shown but it was not');
  if (got.error === '') problems.push(...billProblems(planned, got, lines, expected.isContinued));
  return problems;
}

/** What was accepted is billed, once: the whole answer, or the parts that it is made of. Of a broken one that is what was shown: a model may have sent more into the void. */
function billProblems(planned: StreamCase, { usage }: StreamSeen, lines: readonly ModelLine[], isContinued: boolean): readonly string[] {
  const accepted = lines.filter(({ isWhole, sent }) => isWhole || (isContinued && sent !== ''));
  const sum = (count: (line: ModelLine) => number): number => accepted.reduce((total, line) => total + count(line), 0);
  const [prompt, completion] = [sum(({ inputTokens }) => inputTokens), sum(({ isWhole, outputTokens }) => (isWhole ? outputTokens : shownOf(planned).length / CHARACTERS_PER_TOKEN))];
  if (!usage) return ['!expected to be told what was used but was not'];
  const off = Math.max(Math.abs(usage.prompt_tokens - prompt), Math.abs(usage.completion_tokens - completion));
  return off <= (isContinued ? TOKENS_OFF_MAX : 0)
    ? []
    : [`!expected ${prompt} + ${completion} tokens to be billed, as the models sent, but it was ${usage.prompt_tokens} + ${usage.completion_tokens}`];
}

interface Expected {
  readonly text: string;
  readonly error: string;
  readonly restarts: number;
  readonly asked: readonly ('first' | 'second')[];
  readonly isContinued: boolean;
}

const shownOf = ({ first, after }: StreamCase): string => first.slice(0, after * PIECE);

function expectedOf(planned: StreamCase): Expected {
  const { policy, fault, after, first, second, wantsRestarts } = planned;
  const well = { error: '', restarts: 0, isContinued: false };
  if (fault === 'none') return { ...well, text: first, asked: ['first'] };
  // Nobody has seen anything yet.
  if (after === 0) return { ...well, text: second, asked: ['first', 'second'] };
  if (policy === 'abort') return { ...well, text: shownOf(planned), error: 'workflow-failed', asked: ['first'] };
  if (policy === 'continue-from-prefix') return { ...well, text: first, asked: ['first', 'second'], isContinued: true };
  return wantsRestarts ? { ...well, text: second, restarts: 1, asked: ['first', 'second'] } : { ...well, text: shownOf(planned), error: 'stream-broken', asked: ['first', 'second'] };
}

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
