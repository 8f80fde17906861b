// Reads archives line by line: a file may hold more than memory should.
import { archiveInvalid, parseArchiveLine, type ArchivedExecution, type ArchiveHead, type ArchiveLine } from '@weft/proof';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { verifyMembers, type ExecutionVerdict } from './verify-execution.js';

const SUFFIX = '.jsonl.gz';

/** Archives of a folder, the oldest first. */
export const archivesIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(SUFFIX))
        .sort()
        .map((name) => join(folder, name))
    : [];

/** The lines of an archive. @throws CommandFailed usage: no such file, no archive, or one that is cut off. */
export async function* readArchive(file: string): AsyncGenerator<ArchiveLine> {
  if (!existsSync(file)) throw new CommandFailed(`Expected an archive in ${file} but there is no such file.`, EXIT.usage);
  const source = createReadStream(file);
  const unzipped = createGunzip();
  source.on('error', (fault) => unzipped.destroy(fault));
  const failed = new Promise<never>((_, reject) => unzipped.on('error', reject));
  failed.catch(() => undefined);
  const lines = createInterface({ input: source.pipe(unzipped), crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  let [position, executions, isEnded] = [0, 0, false];
  try {
    for (;;) {
      const { value: text, done } = await Promise.race([lines.next(), failed]);
      if (done) break;
      position++;
      const parsed = parseArchiveLine(text);
      if (!parsed.ok) throw new CommandFailed(`${parsed.rejection.message} Line ${position} of ${file}.`, EXIT.usage);
      const { line } = parsed;
      if ((position === 1) !== (line.type === 'archive') || isEnded)
        throw new CommandFailed(`${archiveInvalid('its head first and its end last but the order is another').message} Line ${position} of ${file}.`, EXIT.usage);
      if (line.type === 'execution') executions++;
      if (line.type === 'end') {
        isEnded = true;
        if (line.executions !== executions) throw new CommandFailed(`${archiveInvalid(`${line.executions} executions but it has ${executions}`).message} File ${file}.`, EXIT.usage);
      }
      yield line;
    }
  } catch (fault) {
    if (fault instanceof CommandFailed) throw fault;
    throw new CommandFailed(`${archiveInvalid('gzip inside but it cannot be unpacked').message} ${file}: ${fault instanceof Error ? fault.message : String(fault)}.`, EXIT.usage);
  }
  if (!isEnded) throw new CommandFailed(`${archiveInvalid('an end but it is cut off').message} File ${file}.`, EXIT.usage);
}

/** What is in an archive, without its executions. */
export interface ArchiveSummary {
  readonly file: string;
  readonly createdAt: string;
  readonly before: string;
  readonly executions: number;
  readonly decisions: number;
  readonly tenants: readonly string[];
}

export async function summaryOf(file: string): Promise<ArchiveSummary> {
  let head: ArchiveHead | undefined;
  const tenants = new Set<string>();
  let [executions, decisions] = [0, 0];
  for await (const line of readArchive(file)) {
    if (line.type === 'archive') head = line;
    if (line.type !== 'execution') continue;
    executions++;
    decisions += line.members.length;
    tenants.add(line.tenant);
  }
  return { file, createdAt: head?.createdAt ?? '', before: head?.before ?? '', executions, decisions, tenants: [...tenants].sort() };
}

export interface ArchiveVerdict {
  readonly file: string;
  readonly verified: boolean;
  readonly executions: number;
  readonly decisions: number;
  /** The key that every signature was checked with. */
  readonly verifierKey: string;
  /** What is not proved, with the first reason. */
  readonly unproved: readonly { readonly executionId: string; readonly reason: string }[];
}

/** Verifies every decision of an archive, from the file alone. @param pinnedKey the log's key as the verifier knows it; default the one that the archive names. */
export async function verifyArchive(file: string, pinnedKey?: string): Promise<ArchiveVerdict> {
  let verifierKey = pinnedKey ?? '';
  let [executions, decisions] = [0, 0];
  const unproved: { executionId: string; reason: string }[] = [];
  for await (const line of readArchive(file)) {
    if (line.type === 'archive') verifierKey = pinnedKey ?? line.verifierKey;
    if (line.type === 'definition' && createHash('sha256').update(line.document).digest('hex') !== line.digest)
      unproved.push({ executionId: '', reason: `Expected the definition with digest ${line.digest} but it was changed.` });
    if (line.type !== 'execution') continue;
    executions++;
    decisions += line.members.length;
    const { verified, decisions: each } = verdictOf(line, verifierKey);
    if (!verified) unproved.push({ executionId: line.executionId, reason: each.find((one) => !one.verified)?.reason ?? 'Expected decisions but there are none.' });
  }
  return { file, verified: executions > 0 && unproved.length === 0, executions, decisions, verifierKey, unproved };
}

function verdictOf({ executionId, members, proofs }: ArchivedExecution, verifierKey: string): ExecutionVerdict {
  const shown = members.map((member) => ({ ...member, payload: member.payload ?? '', payloadErased: member.payload === null }));
  return verifyMembers(executionId, shown, { executionId, proofs, checkpoint: null, pending: 0 }, verifierKey);
}
