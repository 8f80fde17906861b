// The generated services as plain promise interfaces: the same in process and over gRPC.
import type { handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import type { AuditServer } from './generated/weft/v1/audit.js';
import type { BudgetsServer } from './generated/weft/v1/budgets.js';
import type { Context } from './generated/weft/v1/context.js';
import type { WorkerServer } from './generated/weft/v1/jobs.js';
import type { OrchestrationServer } from './generated/weft/v1/orchestration.js';
import type { PermissionsServer } from './generated/weft/v1/permissions.js';
import type { RoutingServer } from './generated/weft/v1/routing.js';
import type { ToolsServer } from './generated/weft/v1/tools.js';

/** A call of a generated service as a function. It throws `Refused` for an expected refusal. */
type Call<H> =
  H extends handleUnaryCall<infer Request, infer Reply>
    ? (request: Request, context: Context) => Promise<Reply>
    : H extends handleServerStreamingCall<infer Request, infer Reply>
      ? (request: Request, context: Context) => AsyncIterable<Reply>
      : never;

// Drops the index signature that the generator puts on every service.
type Named<S> = { [K in keyof S as string extends K ? never : number extends K ? never : K]: S[K] };

/** A generated service as its callers see it. */
export type PeerOf<Server> = { readonly [K in keyof Named<Server>]: Call<Named<Server>[K]> };

export type WorkerPeer = PeerOf<WorkerServer>;
export type OrchestrationPeer = PeerOf<OrchestrationServer>;
export type RoutingPeer = PeerOf<RoutingServer>;
export type AuditPeer = PeerOf<AuditServer>;
export type BudgetsPeer = PeerOf<BudgetsServer>;
export type PermissionsPeer = PeerOf<PermissionsServer>;
export type ToolsPeer = PeerOf<ToolsServer>;
