// From the tokens of an execution to what a client of OpenAI's chat API may be shown of them. What was sent cannot be taken back: so only what can be the start of the answer is sent.
import type { TokenChunk } from '@weft/pipeline';

/** What is to be sent. `restart`: all before is void; only clients that asked for it are told so. */
export type RelayPiece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'restart'; readonly reason: string };

/** What is left to send at the end, or why what was sent cannot be the answer. */
export type RelayEnd = { readonly ok: true; readonly pieces: readonly RelayPiece[] } | { readonly ok: false; readonly reason: string };

/** The source of an agent's turn: whose it is, and its number. */
const AGENT = /^(.*)[#,]turn:\d+$/;

export class ChatRelay {
  #source: string | undefined;
  #run: string | undefined;
  #next = 0;
  #sent = '';
  /** Nothing more is sent until the answer is recorded, and why: something was lost, or the answer began anew. */
  #held: string | undefined;

  /** @param tellsRestarts whether the client forgets what it has when it is told to. */
  constructor(private readonly tellsRestarts: boolean) {}

  /**
   * Takes a chunk. Of several tasks that stream the first one is followed. What a turn of an agent says may be no part of its answer, and a client
   * that cannot take it back is not shown it: it gets the recorded answer.
   */
  take({ source, run, number, kind, text }: TokenChunk): readonly RelayPiece[] {
    const agent = AGENT.exec(source)?.[1];
    if (agent !== undefined && !this.tellsRestarts) return [];
    this.#source ??= source;
    const pieces: RelayPiece[] = [];
    if (source !== this.#source) {
      if (agent === undefined || agent !== AGENT.exec(this.#source)?.[1]) return [];
      pieces.push(...this.#anew('the agent goes on with its next turn'));
      [this.#source, this.#run] = [source, undefined];
    }
    // The job is carried out again, after a crash: the same as when it says that it begins anew.
    if (this.#run !== undefined && run !== this.#run) pieces.push(...this.#anew('it is carried out again'));
    if (run !== this.#run) this.#next = 0;
    this.#run = run;
    if (number !== this.#next) this.#held ??= 'a part of it was lost on the way';
    this.#next = number + 1;
    if (kind === 'restart') pieces.push(...this.#anew(text));
    if (kind !== 'text' || this.#held !== undefined) return pieces;
    this.#sent += text;
    return [...pieces, { kind: 'text', text }];
  }

  /** The answer as it is recorded. */
  end(answer: string): RelayEnd {
    if (answer.startsWith(this.#sent)) return { ok: true, pieces: this.#rest(answer.slice(this.#sent.length)) };
    if (this.tellsRestarts) return { ok: true, pieces: [{ kind: 'restart', reason: this.#held ?? 'the answer is another one' }, ...this.#rest(answer)] };
    return { ok: false, reason: this.#held ?? 'what was shown while it came is not its beginning' };
  }

  #anew(reason: string): readonly RelayPiece[] {
    if (this.#sent === '') {
      this.#held = undefined;
      return [];
    }
    if (!this.tellsRestarts) {
      this.#held = `the answer began anew: ${reason}`;
      return [];
    }
    this.#held = undefined;
    this.#sent = '';
    return [{ kind: 'restart', reason }];
  }

  #rest(text: string): readonly RelayPiece[] {
    return text === '' ? [] : [{ kind: 'text', text }];
  }
}
