// Which executions could go on under another version, and taking them over to it: all pages of it as one.
import type { GatewayClient } from './gateway-client.js';

export interface UpgradeProblemShape {
  readonly reason: string;
  readonly pointer: string;
  readonly message: string;
}

export interface BrokenShape {
  readonly execution: string;
  readonly version: string;
  readonly problems: readonly UpgradeProblemShape[];
  readonly isHealedByProposal: boolean;
}

export interface ProposalShape {
  readonly version: string;
  readonly map: Readonly<Record<string, string>>;
  readonly doubts: readonly { readonly from: string; readonly to: string; readonly why: string }[];
}

export interface UpgradeShape {
  readonly id: string;
  readonly to: { readonly namespace: string; readonly name: string; readonly version: string; readonly digest: string };
  readonly matched: number;
  readonly able: number;
  readonly migrated: number;
  readonly broken: readonly BrokenShape[];
  readonly proposals: readonly ProposalShape[];
  readonly nextCursor: string;
}

export interface UpgradeWish {
  readonly text?: string;
  readonly workflow?: string;
  readonly from?: string;
  readonly to?: string;
  readonly map?: Readonly<Record<string, string>>;
  readonly execution?: string;
  readonly dryRun?: boolean;
  readonly id?: string;
  readonly reason?: string;
}

/** Goes through all pages. @param onPage told of what there is so far. */
export async function upgrade(client: GatewayClient, wish: UpgradeWish, onPage: (sofar: UpgradeShape) => void = () => undefined): Promise<UpgradeShape> {
  let total: UpgradeShape | undefined;
  for (let cursor = ''; total === undefined || cursor !== '';) {
    const body = JSON.stringify({ ...wish, ...(total ? { id: total.id } : {}), cursor });
    const { body: page } = await client.call<UpgradeShape>('/v1/upgrades', { method: 'POST', headers: { 'content-type': 'application/json' }, body, timeoutMs: PAGE_TIMEOUT_MS });
    total = total ? sum(total, page) : page;
    cursor = page.nextCursor;
    onPage(total);
  }
  return total;
}

// Five hundred histories may be long ones.
const PAGE_TIMEOUT_MS = 300_000;

function sum(total: UpgradeShape, page: UpgradeShape): UpgradeShape {
  const known = new Set(total.proposals.map(({ version }) => version));
  return {
    ...page,
    matched: total.matched + page.matched,
    able: total.able + page.able,
    migrated: total.migrated + page.migrated,
    broken: [...total.broken, ...page.broken],
    proposals: [...total.proposals, ...page.proposals.filter(({ version }) => !known.has(version))],
  };
}
