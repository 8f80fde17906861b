// Proofs of an execution's decisions. Row-level security says which leaves the caller's tenant may see.
import { execute, inTenant, type Pool } from '@weft/adapter-postgres';
import { commitRowOf, proofTiles, type HashTileId, type StoredCommit } from '@weft/audit/core';
import type { Checkpoint, DecisionProof, ExecutionProof } from '@weft/contracts';
import { refuse, Refused } from '@weft/kernel';
import { buildDecisionProof, encodeDecisionProof, type CommitRow } from '@weft/proof';
import { tilesByPath } from '@weft/tlog';
import { setImmediate as turn } from 'node:timers/promises';
import { tilesByPathFrom } from './log-resources.js';

// More than a gRPC message holds; an execution with so many decisions in large commits is proved from the tiles.
const PROOF_CHARACTERS_MAX = 12 * 1024 * 1024;
const PROOFS_PER_TURN = 8;

interface FoundLeaf {
  readonly index: number;
  readonly service: string;
  readonly commit_id: string;
}

/** One decision to be proved. */
interface Wanted {
  readonly commit: CommitRow;
  readonly memberIndex: number;
  readonly leafIndex: number;
}

export class ExecutionProofs {
  /** @param sequencerPool reads commit rows. @param tenantPool reads the log as the caller's tenant. @param services those with commit rows. */
  constructor(
    private readonly sequencerPool: Pool,
    private readonly tenantPool: Pool,
    private readonly services: readonly string[],
    private readonly verifierKey: string,
  ) {}

  /**
   * Proofs of the decisions of an execution, by sequence, and how many are not in the log yet; undefined when the tenant has no such
   * execution, as far as the log knows. @throws Refused `proof-too-large`, or the log's own rejection when it is damaged.
   */
  async of(tenant: string, executionId: string): Promise<ExecutionProof | undefined> {
    // Before the leaves: a commit that goes into the log in between is found twice rather than not at all.
    const waiting = await this.#waiting(executionId);
    const logged = await this.#leaves(tenant, executionId);
    if (logged === undefined || waiting.some(({ tenants }) => !tenants.includes(tenant))) return undefined;
    const { leaves, checkpoint } = logged;
    const wanted = await this.#wanted(executionId, leaves);
    const proven = new Set(wanted.map(({ commit, memberIndex }) => commit.members[memberIndex]!.sequence));
    const pending = waiting.flatMap(({ commit }) => commit.members).filter(({ subject, sequence }) => subject === executionId && !proven.has(sequence)).length;
    if (wanted.length === 0 && pending === 0) return undefined;
    return { executionId, proofs: await this.#prove(wanted, checkpoint), checkpoint, pending };
  }

  /** Commits about the execution that are not in the log. */
  async #waiting(executionId: string): Promise<readonly { readonly commit: CommitRow; readonly tenants: readonly string[] }[]> {
    const text = this.services
      .map((service) => `select '${service}' as service, id, members, digests, tenants, 0::float8 as at from ${service}.commits where sequenced is null and position($1 in members) > 0`)
      .join(' union all ');
    const rows = await execute<StoredCommit>(this.sequencerPool, { name: 'audit-waiting-1', text, values: [`"${executionId}"`] });
    return rows
      .map(readCommit)
      .filter(({ members }) => members.some(({ subject }) => subject === executionId))
      .map((commit) => ({ commit, tenants: commit.tenants }));
  }

  /** The leaves about the execution under the newest checkpoint; undefined when one of them is not this tenant's to see. */
  async #leaves(tenant: string, executionId: string): Promise<{ readonly leaves: readonly FoundLeaf[]; readonly checkpoint: Checkpoint } | undefined> {
    return inTenant(
      this.tenantPool,
      tenant,
      async (query) => {
        const [head] = await query<{ size: number; note: string }>('select size::float8 as size, note from audit.head');
        const rows = await query<FoundLeaf & { commit_id: string | null }>(
          'select m.leaf_index::float8 as index, l.service, l.commit_id from audit.members m left join audit.leaves l on l.index = m.leaf_index where m.subject = $1 and m.leaf_index < $2 order by m.leaf_index',
          [executionId, head!.size],
        );
        // An execution belongs to one tenant, so every commit about it has that tenant.
        if (rows.some((row) => row.commit_id === null)) return undefined;
        return { leaves: rows, checkpoint: { note: head!.note, size: head!.size, verifierKey: this.verifierKey } };
      },
      { readOnly: true },
    );
  }

  async #wanted(executionId: string, leaves: readonly FoundLeaf[]): Promise<readonly Wanted[]> {
    if (leaves.length === 0) return [];
    const text = this.services
      .map((service) => `select '${service}' as service, id, members, digests, tenants, (extract(epoch from recorded_at) * 1000)::float8 as at from ${service}.commits where id = any($1::uuid[])`)
      .join(' union all ');
    const rows = await execute<StoredCommit>(this.sequencerPool, { name: 'audit-commits-1', text, values: [leaves.map((leaf) => leaf.commit_id)] });
    const commits = new Map(rows.map((row) => [`${row.service}/${row.id}`, readCommit({ ...row, at: Math.round(row.at) })]));
    const wanted = leaves.flatMap(({ index, service, commit_id }) => {
      const commit =
        commits.get(`${service}/${commit_id}`) ?? refuse('commit-missing', `Expected commit ${commit_id} of ${service}, which is leaf ${index} of the log, but its service does not have it any more.`);
      return commit.members.flatMap(({ subject }, memberIndex) => (subject === executionId ? [{ commit, memberIndex, leafIndex: index }] : []));
    });
    return wanted.sort((left, right) => left.commit.members[left.memberIndex]!.sequence - right.commit.members[right.memberIndex]!.sequence);
  }

  async #prove(wanted: readonly Wanted[], checkpoint: Checkpoint): Promise<DecisionProof[]> {
    const tiles = new Map<string, HashTileId>();
    for (const { leafIndex } of wanted) for (const tile of proofTiles(checkpoint.size, leafIndex)) tiles.set(`${tile.level}/${tile.index}`, tile);
    const reader = tilesByPath(await tilesByPathFrom(this.sequencerPool, [...tiles.values()]));
    const proofs: DecisionProof[] = [];
    let characters = 0;
    for (const [n, { commit, memberIndex, leafIndex }] of wanted.entries()) {
      if (n % PROOFS_PER_TURN === PROOFS_PER_TURN - 1) await turn();
      const built = buildDecisionProof({ commit, memberIndex, leafIndex, checkpoint: checkpoint.note, reader });
      if (!built.ok) throw new Refused(built.rejection);
      const proofJson = encodeDecisionProof(built.proof);
      characters += proofJson.length;
      if (characters > PROOF_CHARACTERS_MAX)
        refuse('proof-too-large', `Expected proofs of at most ${PROOF_CHARACTERS_MAX} characters together but the ${wanted.length} decisions of this execution have more.`);
      proofs.push({ sequence: commit.members[memberIndex]!.sequence, leafIndex, treeSize: checkpoint.size, proofJson });
    }
    return proofs;
  }
}

function readCommit(row: StoredCommit): CommitRow {
  const reading = commitRowOf(row);
  if (!reading.ok) throw new Refused(reading.rejection);
  return reading.commit;
}
