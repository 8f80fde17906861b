import type { ToolsSettings } from '../config.js';
import { EgressClient } from './egress-client.js';
import { EgressPolicy } from './egress-policy.js';
import { nameLookup } from './name-lookup.js';

/** The egress client as the settings want it. */
export function egressOf(settings: Pick<ToolsSettings, 'WEFT_EGRESS_ALLOW' | 'WEFT_EGRESS_PRIVATE' | 'WEFT_EGRESS_NAT64' | 'WEFT_EGRESS_DNS'>): EgressClient {
  const policy = new EgressPolicy(settings.WEFT_EGRESS_ALLOW, { privateNetworks: settings.WEFT_EGRESS_PRIVATE, nat64: settings.WEFT_EGRESS_NAT64 });
  return new EgressClient(policy, nameLookup(settings.WEFT_EGRESS_DNS));
}
