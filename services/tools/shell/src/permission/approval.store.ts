// Which approvals were used, and for what: each counts for the first idempotency key that comes with it, for ever.
import { commitStatement, execute, type Pool } from '@weft/adapter-postgres';
import type { Approval } from '@weft/contracts';
import { uuidv7 } from '@weft/kernel';
import { memberDigest, payloadDigest } from '@weft/proof';
import { randomBytes } from 'node:crypto';

// Its commit row goes with it, so that the audit log tells which word of which person let what happen.
const USE_SQL = `
with used as (
  insert into tools.approvals_used (tenant, review_id, key, digest, structure, salt, used_at, commit_id)
  values ($2, $3, $4, $5, $6, $7, $8, $1) on conflict (tenant, review_id) do nothing returning review_id
), committed as (
  insert into tools.commits (id, members, digests, tenants, published, recorded_at)
  select $1, json_build_array(json_build_array($9::text, 1))::text, $10, array[$2], true, $8 from used
)
select review_id from used`;
const USED_SQL = `select key from tools.approvals_used where tenant = $1 and review_id = $2`;

/** Takes an approval for a key. @returns whether it is this key's, now or since before. @throws Fault when the store cannot tell. */
export async function takeApproval(pool: Pool, tenant: string, { reviewId, digest, decidedBy }: Approval, key: string): Promise<boolean> {
  const at = Date.now();
  const id = uuidv7(at, randomBytes(10));
  const subject = `${tenant}/approval/${reviewId}`;
  const salt = randomBytes(16);
  const structure = JSON.stringify([{ type: 'ApprovalUsed', reviewId, digest, key, decidedBy }]);
  const member = memberDigest({ subject, sequence: 1, tenant, at, structure, payloadDigest: payloadDigest(salt, '') });
  await commitStatement(pool, id, { name: 'tools-use-approval-1', text: USE_SQL, values: [id, tenant, reviewId, key, digest, structure, salt, new Date(at), subject, member] });
  const [row] = await execute<{ key: string }>(pool, { name: 'tools-approval-used-1', text: USED_SQL, values: [tenant, reviewId] });
  return row?.key === key;
}
