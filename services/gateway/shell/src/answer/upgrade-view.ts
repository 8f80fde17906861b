import type { UpgradePage } from '@weft/contracts';

/** A page of an upgrade as it is answered: maps as objects. */
export function upgradeView({ operationId, to, matched, able, migrated, broken, proposals, nextCursor }: UpgradePage): object {
  return {
    id: operationId,
    to,
    matched,
    able,
    migrated,
    broken: broken.map(({ executionId, version, problems, isHealedByProposal }) => ({ execution: executionId, version, problems, isHealedByProposal })),
    proposals: proposals.map(({ version, mapJson, doubts }) => ({ version, map: JSON.parse(mapJson) as object, doubts })),
    nextCursor,
  };
}
