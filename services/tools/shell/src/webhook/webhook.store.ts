// Messages to webhooks in rows: each is there once by its event, until it was taken or set aside. Clocks are the store's.
import { execute, type Pool } from '@weft/adapter-postgres';

/** A message to one webhook. */
export interface WebhookMessage {
  readonly tenant: string;
  readonly webhook: string;
  /** Id of the event, and of the message. */
  readonly id: string;
  /** The CloudEvent in structured mode, as JSON text. */
  readonly body: string;
}

export interface ClaimedMessage extends WebhookMessage {
  /** Counted from 1, with the one that this claim is for. */
  readonly attempt: number;
}

const ADD_SQL = `
insert into tools.webhook_messages (tenant, webhook, id, body, next_at)
select m.tenant, m.webhook, m.id, m.body, now() from json_to_recordset($1::json) as m(tenant text, webhook text, id text, body text)
on conflict do nothing`;

const CLAIM_SQL = `
update tools.webhook_messages m set attempts = m.attempts + 1, next_at = now() + $2::int * interval '1 millisecond'
from (select tenant, webhook, id from tools.webhook_messages where state = 'waiting' and next_at <= now() order by next_at limit $1 for update skip locked) due
where m.tenant = due.tenant and m.webhook = due.webhook and m.id = due.id
returning m.tenant, m.webhook, m.id, m.body, m.attempts as attempt`;

const SETTLE_SQL = `
update tools.webhook_messages set state = $4, next_at = now() + $5::float8 * interval '1 millisecond', problem = $6, body = case when $4 = 'taken' then '' else body end
where tenant = $1 and webhook = $2 and id = $3`;

const FORGET_SQL = `delete from tools.webhook_messages where state <> 'waiting' and next_at < now() - $1::int * interval '1 day'`;

export class WebhookStore {
  constructor(private readonly pool: Pool) {}

  /** Adds messages; those that are there already change nothing. */
  async add(messages: readonly WebhookMessage[]): Promise<void> {
    await execute(this.pool, { name: 'tools-add-webhook-messages-1', text: ADD_SQL, values: [JSON.stringify(messages)] });
  }

  /** Takes messages that are due. Whoever dies with them leaves them to be due again after `leaseMs`. */
  claim(limit: number, leaseMs: number): Promise<readonly ClaimedMessage[]> {
    return execute<ClaimedMessage>(this.pool, { name: 'tools-claim-webhook-messages-1', text: CLAIM_SQL, values: [limit, leaseMs] });
  }

  /** Says what became of an attempt. @param pauseMs until the next one, while it waits. */
  async settle({ tenant, webhook, id }: WebhookMessage, state: 'waiting' | 'taken' | 'set-aside', pauseMs: number, problem: string): Promise<void> {
    await execute(this.pool, { name: 'tools-settle-webhook-message-1', text: SETTLE_SQL, values: [tenant, webhook, id, state, pauseMs, problem] });
  }

  /** Lets go of messages that came to an end so many days ago: until then an event that is told again is known. */
  async forget(days: number): Promise<void> {
    await execute(this.pool, { name: 'tools-forget-webhook-messages-1', text: FORGET_SQL, values: [days] });
  }
}
