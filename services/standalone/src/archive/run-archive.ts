// Retention: executions that ended long ago go into files with their proofs, then out of the store.
import { execute, type Pool } from '@weft/adapter-postgres';
import type { ExecutionProofs } from '@weft/audit/shell';
import { instantText, type Instant } from '@weft/kernel';
import { FIRST_PLACE, type EndedExecution, type EndedExecutions, type EndedMember, type HistoryPartition, type RetirePlace } from '@weft/orchestration/shell';
import { ARCHIVE_VERSION, type ArchivedExecution, type DecisionProof } from '@weft/proof';
import { ArchiveFile } from './archive-file.js';

export interface ArchivePorts {
  readonly ended: EndedExecutions;
  readonly proofs: Pick<ExecutionProofs, 'of'>;
  /** Of orchestration's engine role: reads the documents of definitions. */
  readonly pool: Pool;
  readonly verifierKey: string;
  readonly now: () => Instant;
  readonly onProgress?: (text: string) => void;
}

export interface ArchiveOptions {
  readonly folder: string;
  /** What ended before this instant. */
  readonly before: Instant;
  /** Only counts. */
  readonly dryRun: boolean;
  /** Executions in one file. Default 10,000. */
  readonly perFile?: number;
}

/** What was done, or would be. */
export interface ArchiveReport {
  readonly before: string;
  readonly dryRun: boolean;
  readonly executions: number;
  readonly files: readonly string[];
  /** Executions that stay, with the reason: their proofs could not be made. */
  readonly left: readonly { readonly executionId: string; readonly reason: string }[];
  /** How many stay: the list ends at a hundred. */
  readonly leftCount: number;
  /** Months of history that were dropped whole, and those that could not be dropped now. */
  readonly dropped: readonly string[];
  readonly notDropped: readonly string[];
}

const PAGE = 200;
const PER_FILE = 10_000;
const LEFT_TOLD_MAX = 100;

/** Archives and retires. Cut off anywhere it loses nothing: what is in no finished file is still in the store, and a next run goes on. */
export async function runArchive(ports: ArchivePorts, options: ArchiveOptions): Promise<ArchiveReport> {
  const run = new Run(ports, options);
  let place: RetirePlace = FIRST_PLACE;
  try {
    for (;;) {
      const page = await ports.ended.page(options.before, place, PAGE);
      const last = page.at(-1);
      if (!last) break;
      place = last;
      await run.take(page);
    }
    return await run.end();
  } catch (fault) {
    run.discard();
    throw fault;
  }
}

/** The file that is written now. */
interface OpenArchive {
  readonly file: ArchiveFile;
  readonly places: RetirePlace[];
  /** Definitions that it holds, as tenant/digest. */
  readonly definitions: Set<string>;
}

class Run {
  readonly #createdAt: Date;
  readonly #files: string[] = [];
  readonly #left: { executionId: string; reason: string }[] = [];
  #executions = 0;
  #open: OpenArchive | undefined;
  #whole: readonly HistoryPartition[] | undefined;

  constructor(
    private readonly ports: ArchivePorts,
    private readonly options: ArchiveOptions,
  ) {
    this.#createdAt = new Date(ports.now());
  }

  async take(page: readonly EndedExecution[]): Promise<void> {
    if (this.options.dryRun) {
      this.#executions += page.length;
      return;
    }
    const members = groupByExecution(await this.ports.ended.members(page.map(({ id }) => id)));
    for (const execution of page) await this.#write(execution, members.get(execution.id) ?? []);
    this.ports.onProgress?.(`${this.#executions} executions archived`);
    if ((this.#open?.places.length ?? 0) >= (this.options.perFile ?? PER_FILE)) await this.#close();
  }

  async end(): Promise<ArchiveReport> {
    await this.#close();
    const [dropped, notDropped]: [string[], string[]] = [[], []];
    for (const partition of this.options.dryRun ? [] : await this.#partitions()) ((await this.ports.ended.drop(partition)) ? dropped : notDropped).push(partition.name);
    const { before, dryRun } = this.options;
    return { before: instantText(before), dryRun, executions: this.#executions, files: this.#files, left: this.#left.slice(0, LEFT_TOLD_MAX), leftCount: this.#left.length, dropped, notDropped };
  }

  discard(): void {
    this.#open?.file.discard();
  }

  async #write(execution: EndedExecution, members: readonly EndedMember[]): Promise<void> {
    const line = await this.#lineOf(execution, members);
    if ('reason' in line) {
      this.#left.push({ executionId: execution.id, reason: line.reason });
      return;
    }
    const open = (this.#open ??= await this.#begin());
    const { tenant, digest } = execution;
    if (!open.definitions.has(`${tenant}/${digest}`)) {
      open.definitions.add(`${tenant}/${digest}`);
      const [stored] = await execute<{ document: string }>(this.ports.pool, {
        name: 'archive-definition-1',
        text: 'select document from orchestration.definitions where tenant = $1 and digest = $2',
        values: [tenant, digest],
      });
      if (stored) await open.file.write({ type: 'definition', tenant, digest, document: stored.document });
    }
    await open.file.write(line);
    open.places.push({ tenant, id: execution.id });
    this.#executions++;
  }

  /** Without a proof for each decision an execution stays where it is. */
  async #lineOf(execution: EndedExecution, members: readonly EndedMember[]): Promise<ArchivedExecution | { readonly reason: string }> {
    let proven: Awaited<ReturnType<ExecutionProofs['of']>>;
    try {
      proven = await this.ports.proofs.of(execution.tenant, execution.id);
    } catch (fault) {
      return { reason: fault instanceof Error ? fault.message : String(fault) };
    }
    const { tenant, id: executionId, status, definition, digest, request, traceId, startedAt, endedAt, attributes } = execution;
    const proofs = (proven?.proofs ?? []).map(({ sequence, leafIndex, treeSize, proofJson }) => ({ sequence, leafIndex, treeSize, proof: JSON.parse(proofJson) as DecisionProof }));
    const sequences = new Set(proofs.map(({ sequence }) => sequence));
    const missing = members.find(({ sequence }) => !sequences.has(sequence));
    if (members.length === 0 || missing) return { reason: `Expected a proof of decision ${missing?.sequence ?? 0} but the log has none yet.` };
    return {
      type: 'execution',
      executionId,
      tenant,
      status,
      definition,
      digest,
      request,
      traceId,
      startedAt: instantText(startedAt),
      endedAt: instantText(endedAt),
      attributes: attributes.map(([name, value]) => ({ name, value })),
      members: members.map(({ sequence, tenant: of, recordedAtMs, structure, payload, payloadSalt, payloadDigest, commitId }) => ({
        sequence,
        tenant: of,
        recordedAtMs,
        structure,
        payload,
        payloadSalt: payloadSalt.toString('base64'),
        payloadDigest: payloadDigest.toString('base64'),
        commitId,
      })),
      proofs,
    };
  }

  async #begin(): Promise<OpenArchive> {
    const file = ArchiveFile.begin(this.options.folder, this.#createdAt, this.#files.length + 1);
    await file.write({
      type: 'archive',
      version: ARCHIVE_VERSION,
      createdAt: this.#createdAt.toISOString(),
      before: instantText(this.options.before),
      verifierKey: this.ports.verifierKey,
    });
    return { file, places: [], definitions: new Set() };
  }

  /** The file first, then the rows: in between an execution is in both. */
  async #close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    await open.file.write({ type: 'end', executions: open.places.length });
    await open.file.close();
    this.#open = undefined;
    this.#files.push(open.file.path);
    const keeping = await this.#partitions();
    for (let from = 0; from < open.places.length; from += PAGE) await this.ports.ended.retire(open.places.slice(from, from + PAGE), keeping);
  }

  /** Judged once, before anything is retired. An execution that stays keeps its month. */
  async #partitions(): Promise<readonly HistoryPartition[]> {
    this.#whole ??= await this.ports.ended.wholePartitions(this.options.before);
    const ids = this.#left.map(({ executionId }) => executionId);
    return this.#whole.filter(({ first, end }) => !ids.some((id) => id >= first && id < end));
  }
}

function groupByExecution(members: readonly EndedMember[]): ReadonlyMap<string, readonly EndedMember[]> {
  const groups = new Map<string, EndedMember[]>();
  for (const member of members) {
    const group = groups.get(member.executionId);
    if (group) group.push(member);
    else groups.set(member.executionId, [member]);
  }
  return groups;
}
