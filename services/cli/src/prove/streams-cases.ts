// The matrix of breaks and policies, as cases, as a script of the models and as a route table.

export const POLICIES = ['abort', 'restart-visible', 'continue-from-prefix'] as const;
const FAULTS = ['cut', 'bad-chunk', 'stall', 'error'] as const;
/** Pieces before the break: none was shown, some were. */
const AFTER = [0, 1, 3];

/** One chat. The judge knows the same shape. */
export interface StreamCase {
  readonly id: string;
  readonly policy: (typeof POLICIES)[number];
  readonly fault: (typeof FAULTS)[number] | 'none';
  readonly after: number;
  readonly wantsRestarts: boolean;
  readonly first: string;
  readonly second: string;
}

/** Each fault at each moment under each policy, for clients that want to be told of restarts and for those that do not; and chats that do not break. */
export function streamCases(rounds: number, benign: number, seed: number): readonly StreamCase[] {
  const cases: StreamCase[] = [];
  const add = (one: Pick<StreamCase, 'policy' | 'fault' | 'after' | 'wantsRestarts'>): void => {
    const id = `chat-${seed}-${cases.length}`;
    cases.push({ ...one, id, first: sentences(`The first model answers ${id}.`, cases.length), second: sentences(`Another model answers ${id}.`, cases.length + 1) });
  };
  for (let round = 0; round < rounds; round++)
    for (const policy of POLICIES) for (const fault of FAULTS) for (const after of AFTER) for (const wantsRestarts of [false, true]) add({ policy, fault, after, wantsRestarts });
  for (let n = 0; n < benign; n++) add({ policy: POLICIES[n % POLICIES.length]!, fault: 'none', after: 0, wantsRestarts: n % 2 === 0 });
  return cases;
}

/** More than any break leaves, of different lengths. */
const sentences = (start: string, n: number): string => [start, ...Array.from({ length: 2 + (n % 5) }, (_, at) => `Sentence ${at} of ${n}, with an ümlaut and 日本.`)].join(' ');

/** What the models say: each first model is one of its own, so that none is left alone for failing; the second one never fails. */
export function modelScript(cases: readonly StreamCase[]): object {
  const rules = cases.flatMap(({ id, fault, after, first, second }) => [
    { model: `first-${id}`, answer: { content: first }, ...(fault === 'none' ? {} : { fault: { afterPieces: after, then: fault } }) },
    // Asked to go on it says the rest of what the first one would have said.
    { model: 'second', contains: `(${id})`, turn: 1, answer: { content: [...first.matchAll(/[\s\S]{1,16}/gu)].slice(after).join('') } },
    { model: 'second', contains: `(${id})`, answer: { content: second } },
  ]);
  return { rules };
}

/** One route a chat: a client names it as its model. */
export function routeTable(cases: readonly StreamCase[], modelUrl: string): object {
  const model = (id: string, name: string): object => ({
    id,
    endpoint: `${modelUrl}/v1`,
    model: name,
    simulated: true,
    capabilities: ['stream', 'prefill'],
    pricePerMillionTokens: { input: 1, output: 2 },
  });
  return {
    version: 1,
    models: [model('second', 'second'), ...cases.map(({ id }) => model(`first-${id}`, `first-${id}`))],
    routes: cases.map(({ id, policy }) => ({
      name: id,
      when: { type: 'ai.weft.chat.v1', data: { '/model': id } },
      workflow: { namespace: 'prove', name: policy },
      models: { prefer: [`first-${id}`, 'second'] },
    })),
  };
}
