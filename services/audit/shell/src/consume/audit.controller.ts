// The Audit service: the log and proofs from it. In process and over gRPC.
import { Inject } from '@nestjs/common';
import { AuditService, type AuditPeer, type Checkpoint, type CheckpointRequest, type Context, type ExecutionProof, type ProveExecutionRequest, type Tile, type TileRequest } from '@weft/contracts';
import { isUuid, refuse } from '@weft/kernel';
import { PeerController } from '@weft/nest-platform';
import { parseTilePath } from '@weft/tlog';
import { ExecutionProofs } from '../query/execution-proofs.js';
import { LogResources } from '../query/log-resources.js';

@PeerController(AuditService, 'audit')
export class AuditController implements AuditPeer {
  constructor(
    @Inject(LogResources) private readonly resources: LogResources,
    @Inject(ExecutionProofs) private readonly proofs: ExecutionProofs,
  ) {}

  /** The newest signed checkpoint. Refusal: `unavailable` until the log was first signed. */
  async getCheckpoint(_request: CheckpointRequest, _context: Context): Promise<Checkpoint> {
    return (await this.resources.checkpoint()) ?? notSigned();
  }

  /** Proofs of an execution of the caller's tenant. Refusals: `unknown-execution`, `proof-too-large`. */
  async proveExecution({ executionId }: ProveExecutionRequest, { tenant }: Context): Promise<ExecutionProof> {
    const proof = tenant !== '' && isUuid(executionId) ? await this.proofs.of(tenant, executionId) : undefined;
    return proof ?? refuse('unknown-execution', `Expected an execution of tenant ${JSON.stringify(tenant)} but ${JSON.stringify(executionId.slice(0, 80))} is none that the log knows of.`);
  }

  /** A resource of the log. Refusals: `request-invalid` for what is no path of the layout, `not-found` beyond the log's edge. */
  async getTile({ path }: TileRequest, _context: Context): Promise<Tile> {
    if (path === 'checkpoint') return { data: Buffer.from(((await this.resources.checkpoint()) ?? notSigned()).note) };
    const tile = parseTilePath(path) ?? refuse('request-invalid', `Expected a path such as checkpoint, tile/0/000 or tile/entries/000.p/5 but got ${JSON.stringify(path.slice(0, 80))}.`);
    return { data: (await this.resources.tile(tile)) ?? refuse('not-found', `Expected a tile of the log but it does not reach ${path}.`) };
  }
}

const notSigned = (): never => refuse('unavailable', 'Expected a signed checkpoint but the log has not been signed yet: no sequencer has run.', { retryable: true, retryAfterMs: 1_000 });
