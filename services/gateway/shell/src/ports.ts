// What the gateway runs on, under the tokens that its controllers ask for.
import type { Pool } from '@weft/adapter-postgres';
import type { AuditPeer, OrchestrationPeer, RoutingPeer } from '@weft/contracts';
import type { Bus, Clock, Limiter } from '@weft/pipeline';
import type { GatewaySettings } from './config.js';

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
  readonly settings: GatewaySettings;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export const ROUTING = Symbol('weft.gateway.routing');
export const ORCHESTRATION = Symbol('weft.gateway.orchestration');
export const AUDIT = Symbol('weft.gateway.audit');
export const SETTINGS = Symbol('weft.gateway.settings');
