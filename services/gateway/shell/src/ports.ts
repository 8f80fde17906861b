// What the gateway runs on, under the tokens that its controllers ask for.
import type { Pool } from '@weft/adapter-postgres';
import type { AuditPeer, BudgetsPeer, OrchestrationPeer, PermissionsPeer, RoutingPeer, ToolsPeer } from '@weft/contracts';
import type { Bus, Clock, Limiter, TokenStream } from '@weft/pipeline';
import type { GatewaySettings } from './config.js';
import type { ExposedTool } from './mcp/exposed-tools.js';

/** Reads payloads for callers. */
export interface PayloadReader {
  /** The bytes of a payload of the tenant; undefined when it has none of that digest. */
  read(tenant: string, digest: string): Promise<Uint8Array | undefined>;
}

/** The services that tools answers to people. */
export interface ToolsPeers {
  readonly permissions: PermissionsPeer;
  readonly budgets: BudgetsPeer;
  readonly registry: ToolsPeer;
}

/** What the gateway runs on. Whoever hands it in closes it. */
export interface GatewayPorts {
  /** Of the gateway's engine role: looks up keys before it is known who calls. */
  readonly enginePool: Pool;
  readonly bus: Bus;
  /** How often one key may ask. */
  readonly limiter: Limiter;
  readonly routing: RoutingPeer;
  readonly orchestration: OrchestrationPeer;
  readonly audit: AuditPeer;
  readonly tools: ToolsPeers;
  /** What models say while they say it. Default: nothing; answers come whole. */
  readonly tokens?: TokenStream;
  /** What MCP clients may ask for. Default: nothing but to follow executions. */
  readonly exposed?: readonly ExposedTool[];
  /** What messages refer to, as its tenant may read it. Without it there is nothing to read. */
  readonly payloads?: PayloadReader;
  readonly settings: GatewaySettings;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export const ROUTING = Symbol('weft.gateway.routing');
export const ORCHESTRATION = Symbol('weft.gateway.orchestration');
export const AUDIT = Symbol('weft.gateway.audit');
export const PERMISSIONS = Symbol('weft.gateway.permissions');
export const TOKENS = Symbol('weft.gateway.tokens');
export const BUDGETS = Symbol('weft.gateway.budgets');
export const EXPOSED = Symbol('weft.gateway.exposed');
export const TOOLS = Symbol('weft.gateway.tools');
export const PAYLOADS = Symbol('weft.gateway.payloads');
export const SETTINGS = Symbol('weft.gateway.settings');
