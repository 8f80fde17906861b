// The audit log as its sequencer stores it: head, epoch, leaves and the edge of the tree, changed together or not at all.
import { EMPTY_EDGE, type LogEdge } from '@weft/audit/core';
import type { CommitRecord } from './commit-rows.js';

export class LogTable {
  epoch = 0;
  edge: LogEdge = EMPTY_EDGE;
  /** Leaves in order: the entry and the commit that it is of. */
  readonly leaves: { readonly commit: string; readonly entry: Uint8Array }[] = [];

  takeOver(): number {
    return ++this.epoch;
  }

  /** Appends when the head is as expected and none of the commits is in the log. @returns whether it did. */
  append(sizeBefore: number, after: LogEdge, rows: readonly CommitRecord[], entries: readonly Uint8Array[]): boolean {
    if (this.edge.head.size !== sizeBefore || rows.some(({ sequenced }) => sequenced !== undefined)) return false;
    rows.forEach((row, index) => {
      row.sequenced = sizeBefore + index;
      this.leaves.push({ commit: row.id, entry: entries[index]! });
    });
    this.edge = after;
    return true;
  }
}
