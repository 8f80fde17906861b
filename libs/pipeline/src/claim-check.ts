// The claim check at the edges of a process: its bus, and its calls to workers. Inside it everything is whole.
import {
  checkIn,
  contextFromAttributes,
  digestOfPath,
  fromRecord,
  INLINE_BYTES_MAX,
  missingPayload,
  payloadOf,
  payloadPath,
  redeem,
  TOPICS,
  topicOfName,
  type Claiming,
  type Command,
  type Delivery,
  type Job,
  type Payload,
  type PayloadName,
  type Redeemed,
  type RoutingPeer,
  type TopicKey,
  type WorkerPeer,
} from '@weft/contracts';
import type { Bus, Outgoing } from './bus.js';
import { payloadKey, type PayloadStore } from './payload-store.js';

/** A bus whose messages carry at most `INLINE_BYTES_MAX` of payload each. Payloads are stored before the messages that refer to them are sent. */
export function claimCheckedBus(bus: Bus, store: PayloadStore): Bus {
  return {
    async publish(messages) {
      const payloads: Payload[] = [];
      const small = messages.map((message) => checkOutgoing(message, payloads));
      if (payloads.length > 0) await store.put(payloads);
      await bus.publish(small);
    },
    subscribe: (options) =>
      bus.subscribe({
        ...options,
        handle: async (batch) => {
          for (const part of partsOf(batch)) await options.handle(await redeemDeliveries(options.topic, part, store));
        },
      }),
    close: () => bus.close(),
  };
}

/** A worker as its caller sees it over the wire. A result whose payload is not there is left out: its job is dispatched again. */
export function claimCheckedWorker(worker: WorkerPeer, store: PayloadStore): WorkerPeer {
  return {
    async *carryOut({ jobs }, context) {
      for await (const { commands } of worker.carryOut({ jobs: await checkInAll(jobs, store) }, context)) yield { commands: await redeemAll(commands, store) };
    },
  };
}

/** The other side of it: a worker as it serves the wire. A job whose payload is not there is left out, and dispatched again. */
export function claimRedeemingWorker(worker: WorkerPeer, store: PayloadStore): WorkerPeer {
  return {
    async *carryOut({ jobs }, context) {
      for await (const { commands } of worker.carryOut({ jobs: await redeemAll(jobs, store) }, context)) yield { commands: await checkInAll(commands, store) };
    },
  };
}

/** Routing as its caller sees it over the wire. */
export function claimCheckedRouting(routing: RoutingPeer, store: PayloadStore): RoutingPeer {
  return {
    accept: async (request, context) => routing.accept(await checkInFor(request, context.tenant, store), context),
    select: async (request, context) => routing.select(await checkInFor(request, context.tenant, store), context),
    getSelection: (request, context) => routing.getSelection(request, context),
    listModels: (request, context) => routing.listModels(request, context),
  };
}

/** Checks a call's request in before it is sent. */
async function checkInFor<M extends Claiming>(message: M, tenant: string, store: PayloadStore): Promise<M> {
  const checked = checkIn(message, tenant);
  if (checked.payloads.length > 0) await store.put(checked.payloads);
  return checked.message;
}

/** Makes a call's request whole. */
export async function redeemFor<M extends Claiming>(message: M, tenant: string, store: PayloadStore): Promise<Redeemed<M>> {
  const claims = message.claims?.claims ?? [];
  if (claims.length === 0) return { ok: true, message };
  const bytes = await store.get(claims.map(({ digest }) => ({ tenant, digest })));
  return redeem(message, (digest) => bytes.get(payloadKey({ tenant, digest })));
}

type WireMessage = Job | Command;

const tenantOf = (message: WireMessage): string => message.context?.tenant ?? '';

async function checkInAll<M extends WireMessage>(messages: readonly M[], store: PayloadStore): Promise<M[]> {
  const payloads: Payload[] = [];
  const small = messages.map((message) => {
    const checked = checkIn(message, tenantOf(message));
    payloads.push(...checked.payloads);
    return checked.message;
  });
  if (payloads.length > 0) await store.put(payloads);
  return small;
}

async function redeemAll<M extends WireMessage>(messages: readonly M[], store: PayloadStore): Promise<M[]> {
  const names = messages.flatMap((message) => namesOf(message, tenantOf(message)));
  if (names.length === 0) return messages as M[];
  const bytes = await store.get(names);
  return messages.flatMap((message) => {
    const redeemed = redeem(message, (digest) => bytes.get(payloadKey({ tenant: tenantOf(message), digest })));
    return redeemed.ok ? [redeemed.message] : [];
  });
}

const namesOf = ({ claims }: Claiming, tenant: string): readonly PayloadName[] => (claims?.claims ?? []).map(({ digest }) => ({ tenant, digest }));

/** Bodies that are wire messages claim their texts; the data of any other event is claimed as a whole, as its `dataref`. */
function checkOutgoing(message: Outgoing, payloads: Payload[]): Outgoing {
  const { envelope } = message;
  const key = keyOf(message.topic);
  if (key === 'commands' || key === 'jobs') {
    const checked = checkIn(envelope.body as WireMessage, envelope.context.tenant);
    if (checked.payloads.length === 0) return message;
    payloads.push(...checked.payloads);
    return rebuilt(key, message, checked.message);
  }
  const record = message.toRecord();
  if (record.value.length <= INLINE_BYTES_MAX) return { ...message, toRecord: () => record };
  const payload = payloadOf(envelope.context.tenant, record.value);
  payloads.push(payload);
  const claimed = { headers: { ...record.headers, ce_dataref: payloadPath(payload.digest) }, value: new Uint8Array() };
  return { ...message, toRecord: () => claimed };
}

function rebuilt(key: 'commands' | 'jobs', message: Outgoing, body: WireMessage): Outgoing {
  const envelope = { ...message.envelope, body };
  const codec = TOPICS[key].codec as { readonly encode: (body: WireMessage) => Uint8Array };
  return { topic: message.topic, envelope, toRecord: () => ({ headers: message.toRecord().headers, value: codec.encode(body) }) };
}

const keyOf = (topic: string): TopicKey | undefined => {
  const found = topicOfName(topic);
  return found.ok ? found.key : undefined;
};

// A batch counts its messages, and what each refers to may be large: this much is in memory at once, and one message at least.
const REDEEMED_BYTES_MAX = 64 * 1024 * 1024;
// A `dataref` does not say how large its data is.
const DATAREF_BYTES = 4 * 1024 * 1024;

/** Parts of a batch, in its order, each small enough once it is whole. */
function* partsOf(batch: readonly Delivery[]): Generator<readonly Delivery[]> {
  let [from, bytes] = [0, 0];
  for (let at = 0; at < batch.length; at++) {
    const claimed = claimedBytes(batch[at]!);
    if (at > from && bytes + claimed > REDEEMED_BYTES_MAX) {
      yield batch.slice(from, at);
      [from, bytes] = [at, 0];
    }
    bytes += claimed;
  }
  yield from === 0 ? batch : batch.slice(from);
}

function claimedBytes(delivery: Delivery): number {
  if (delivery.raw?.headers['ce_dataref'] !== undefined) return DATAREF_BYTES;
  const claims = delivery.ok ? ((delivery.envelope.body ?? {}) as Claiming).claims?.claims : undefined;
  return claims?.reduce((sum, { size }) => sum + size, 0) ?? 0;
}

/** One query for all that a batch claims. Requests come from outside: what they refer to is not ours to fetch. */
async function redeemDeliveries(topic: string, batch: readonly Delivery[], store: PayloadStore): Promise<readonly Delivery[]> {
  const key = keyOf(topic);
  if (key === undefined || key === 'requests') return batch;
  const names = batch.map((delivery) => claimedBy(delivery));
  const all = names.flat();
  if (all.length === 0) return batch;
  const bytes = await store.get(all);
  return batch.map((delivery, index) => (names[index]!.length === 0 ? delivery : redeemDelivery(key, delivery, names[index]!, bytes)));
}

function claimedBy(delivery: Delivery): readonly PayloadName[] {
  const digest = digestOfPath(delivery.raw?.headers['ce_dataref'] ?? '');
  if (digest !== undefined) return [{ tenant: contextFromAttributes((name) => delivery.raw!.headers[`ce_${name}`]).tenant, digest }];
  return delivery.ok ? namesOf((delivery.envelope.body ?? {}) as Claiming, delivery.envelope.context.tenant) : [];
}

function redeemDelivery(key: TopicKey, delivery: Delivery, names: readonly PayloadName[], bytes: ReadonlyMap<string, Uint8Array>): Delivery {
  const { raw } = delivery;
  if (raw?.headers['ce_dataref'] !== undefined) {
    const value = bytes.get(payloadKey(names[0]!));
    if (value === undefined) return { ok: false, rejection: missingPayload(names[0]!.digest), raw };
    // Set aside it is as small as it came.
    return { ...fromRecord(key, { ...raw, value }), raw };
  }
  if (!delivery.ok) return delivery;
  const { tenant } = delivery.envelope.context;
  const redeemed = redeem(delivery.envelope.body as WireMessage, (digest) => bytes.get(payloadKey({ tenant, digest })));
  if (redeemed.ok) return { ...delivery, envelope: { ...delivery.envelope, body: redeemed.message } };
  return raw ? { ok: false, rejection: redeemed.rejection, raw } : delivery;
}
