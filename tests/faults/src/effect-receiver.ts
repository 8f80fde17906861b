// What every face of the counting server does with an effect: a receipt first, then the answer or the fault that was asked for.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, PlannedFault } from './planned-fault.js';
import type { Receipt, ReceiptFile } from './receipt-file.js';

/** What a caller gets for an effect. */
export interface EffectAnswer {
  readonly receipt: number;
  readonly tool: string;
  readonly key: string | null;
}

/** An effect as it comes in through a face. */
export type Arrival = Pick<Receipt, 'face' | 'tool' | 'key' | 'execution' | 'task' | 'iteration' | 'bodySha256'>;

export interface Received {
  readonly answer: EffectAnswer;
  /** The fault that the face has to play; null: the answer is to be given. */
  readonly fault: FaultKind | null;
}

export interface ReceiverOptions {
  /** Tools that answer a repeated key with their first answer. The others do the effect again. */
  readonly idempotent: readonly string[];
  /** Share of effects whose answer gets lost without anybody asking for it, 0 to 1. */
  readonly lostAnswer: number;
  /** Chooses which answers get lost. */
  readonly seed: number;
}

interface Effect {
  readonly answer: EffectAnswer;
  /** Settles when the receipt is on the disk. */
  readonly stored: Promise<void>;
}

export class EffectReceiver {
  /** The first effect of each (tool, key). One entry per effect of the run. */
  readonly #firstEffects = new Map<string, Effect>();
  /** Arrivals of each (tool, key) of this process that met a fault. */
  readonly #faulted = new Map<string, number>();
  #received: number;

  constructor(
    private readonly file: ReceiptFile,
    private readonly options: ReceiverOptions,
  ) {
    this.#received = file.receipts.at(-1)?.receipt ?? 0;
    for (const receipt of file.receipts) if (isDone(receipt)) this.#remember(receipt, Promise.resolve());
  }

  /** Receipts so far, those of earlier runs on the same file included. */
  get received(): number {
    return this.#received;
  }

  /** @param lostAnswer share of answers that get lost; default the receiver's own. */
  async receive(arrival: Arrival, plan: PlannedFault, lostAnswer = this.options.lostAnswer): Promise<Received> {
    // From here to `append` nothing waits: numbers in the file stand in their order, and whoever asks for the key from now on finds it.
    const number = ++this.#received;
    const fault = this.#planned(arrival, plan) ?? (isLost(lostAnswer, this.options.seed, number) ? 'lost' : null);
    const receipt: Receipt = { receipt: number, at: { monotonicNs: process.hrtime.bigint().toString(), wallMs: Date.now() }, ...arrival, fault };
    const stored = this.file.append(receipt);
    const first = isDone(receipt) ? this.#remember(receipt, stored) : { answer: answerOf(receipt), stored };
    await stored;
    if (plan.delayMs > 0) await sleep(plan.delayMs);
    return { answer: this.options.idempotent.includes(arrival.tool) ? first.answer : answerOf(receipt), fault };
  }

  /** What is known about a key, for who has lost an answer. */
  async happened(tool: string, key: string): Promise<{ readonly happened: boolean; readonly answer?: EffectAnswer }> {
    const found = this.#firstEffects.get(nameOf(tool, key));
    // An effect under way has happened for whoever asks: answering "no" now would invite a second one.
    await found?.stored;
    return found ? { happened: true, answer: found.answer } : { happened: false };
  }

  #planned({ tool, key }: Arrival, { fault, times }: PlannedFault): FaultKind | null {
    if (fault === null || key === null) return fault;
    const name = nameOf(tool, key);
    const met = this.#faulted.get(name) ?? 0;
    if (met >= times) return null;
    this.#faulted.set(name, met + 1);
    return fault;
  }

  #remember(receipt: Receipt, stored: Promise<void>): Effect {
    const effect = { answer: answerOf(receipt), stored };
    if (receipt.key === null) return effect;
    const name = nameOf(receipt.tool, receipt.key);
    const first = this.#firstEffects.get(name);
    if (first) return first;
    this.#firstEffects.set(name, effect);
    return effect;
  }
}

/** Digest of what came, as receipts hold it. */
export const bodyDigest = (body: string): string => createHash('sha256').update(body).digest('hex');

const isDone = ({ fault }: Receipt): boolean => fault !== 'refused';

const nameOf = (tool: string, key: string): string => JSON.stringify([tool, key]);

const answerOf = ({ receipt, tool, key }: Receipt): EffectAnswer => ({ receipt, tool, key });

/** Decided by seed and receipt number alone, so that one run loses what another with the same seed loses. */
function isLost(rate: number, seed: number, receipt: number): boolean {
  if (rate <= 0) return false;
  return createHash('sha256').update(`${seed}:${receipt}`).digest().readUInt32BE() / 2 ** 32 < rate;
}
