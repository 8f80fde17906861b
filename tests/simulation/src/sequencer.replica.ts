// One audit process: it takes commit rows of every service into the log, for as long as it is the one that may.
import { appendToEdge, commitRowOf, EMPTY_EDGE, type LogEdge } from '@weft/audit/core';
import { commitLeafOf, encodeCommitLeaf } from '@weft/proof';
import { sameBytes } from '@weft/tlog';
import type { CommitRecord } from './commit-rows.js';
import { TENANT } from './execution-table.js';
import type { Process } from './process.js';
import type { World } from './world.js';

const LEAVES_MAX = 40;
const STANDBY_MS = 1_500;

export class SequencerReplica {
  #edge: LogEdge = EMPTY_EDGE;
  #epoch = -1;

  constructor(
    private readonly world: World,
    readonly process: Process,
    /** Whether nobody else holds the log: its lock ends with a connection, which a paused process may lose too. */
    private readonly mayTakeOver: (process: Process) => boolean,
  ) {
    this.#look();
  }

  #look(): void {
    const { log } = this.world;
    if (this.#epoch !== log.epoch && this.mayTakeOver(this.process)) this.#epoch = log.takeOver();
    const next = (ms: number): void => this.process.later(ms, '', () => this.#look());
    if (this.#epoch === -1) next(STANDBY_MS);
    else
      this.#append().then(
        () => next(1_000),
        () => next(STANDBY_MS),
      );
  }

  async #append(): Promise<void> {
    const { chaos, log, parts, schedule } = this.world;
    const rows = await this.process.ask('unsequenced', () =>
      parts
        .unsequenced(this.world.allCommits())
        .filter(({ published, at }) => published || at < schedule.now - 300)
        .slice(0, LEAVES_MAX),
    );
    if (rows.length === 0) return;
    const head = await this.process.ask('head', () => {
      if (log.epoch !== this.#epoch) throw this.#fenced();
      return log.edge;
    });
    if (head.head.size !== this.#edge.head.size || !sameBytes(head.head.root, this.#edge.head.root)) this.#edge = head;
    const entries = rows.map(entryOf);
    const appended = appendToEdge(this.#edge, entries);
    if (!appended.ok) return this.world.watch.violate(`I14: ${appended.rejection.message}`);
    const isDone = await this.process.ask(`append ${rows.length} leaves`, () => {
      if (log.epoch !== this.#epoch) throw this.#fenced();
      if (chaos.strikes('commit-refused')) return false;
      const done = log.append(this.#edge.head.size, appended.edge, rows, entries);
      if (chaos.strikes('commit-answer-lost')) return false;
      if (chaos.strikes('crash-after-commit')) this.process.crash();
      return done;
    });
    if (isDone) this.#edge = appended.edge;
  }

  #fenced(): Error {
    this.#epoch = -1;
    return new Error('another sequencer has taken over');
  }
}

/** A commit row as the log holds it. */
export function entryOf({ id, service, members, digests, at }: CommitRecord): Uint8Array {
  const reading = commitRowOf({ id, service, tenants: [TENANT], members: JSON.stringify(members), digests: Buffer.concat(digests), at });
  const encoded = reading.ok ? encodeCommitLeaf(commitLeafOf(reading.commit)) : reading;
  if (!encoded.ok) throw new Error(encoded.rejection.message);
  return encoded.bytes;
}
