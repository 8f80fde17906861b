// Requests as they come over the bus. A topic is bound to one tenant; what cannot be a request of it is set aside with its reason.
import { contextOf, type Delivery, type Envelope, type RawMessage } from '@weft/contracts';
import { rejection, type Json, type Rejection } from '@weft/kernel';
import { deadLetter, Fault, type Clock, type Outgoing } from '@weft/pipeline';
import { acceptRequests, type Acceptance, type AcceptPorts, type Candidate } from '../handle/accept-requests.js';
import type { Admission } from '../handle/admission.js';
import { checkRequest } from '../handle/check-request.js';

/** What accepting needs, and room to wait for. */
export interface IntakePorts extends AcceptPorts {
  readonly admission: Admission;
}

/** One message of a batch that may be a request. */
interface Readable {
  readonly raw: RawMessage;
  readonly candidate: Candidate;
}

export class RequestsConsumer {
  readonly #clock: Clock;

  constructor(private readonly ports: IntakePorts) {
    this.#clock = ports.clock;
  }

  /**
   * Takes a batch of a tenant's topic, once there is room: until then nothing more is fetched, and nothing refused. It resolves when every message is durable as a request, or set aside: only then offsets
   * may move. A refused request gets one result event; a request that came before gets none.
   * @throws Fault when something cannot be decided now: the whole batch may be handed in again.
   */
  async handle(topic: string, tenant: string, batch: readonly Delivery[]): Promise<void> {
    await this.ports.admission.roomForIntake();
    const dead: Outgoing[] = [];
    const readable: Readable[] = [];
    for (const delivery of batch) {
      const reading = delivery.ok ? readRequest(topic, tenant, delivery.envelope) : { ok: false as const, rejection: delivery.rejection };
      const raw = rawOf(topic, delivery);
      if (reading.ok) readable.push({ raw, candidate: reading.candidate });
      else dead.push(this.#setAside(raw, tenant, reading.rejection));
    }
    const acceptances =
      readable.length > 0
        ? await acceptRequests(
            this.ports,
            readable.map(({ candidate }) => candidate),
          )
        : [];
    const notNow = acceptances.find((acceptance) => acceptance.kind === 'fault' && acceptance.fault instanceof Fault && acceptance.fault.retryable);
    acceptances.forEach((acceptance, index) => {
      const reason = reasonToSetAside(acceptance);
      if (reason !== undefined) dead.push(this.#setAside(readable[index]!.raw, tenant, reason));
    });
    if (dead.length > 0) await this.ports.bus.publish(dead);
    if (notNow?.kind === 'fault') throw notNow.fault;
  }

  #setAside(raw: RawMessage, tenant: string, reason: Rejection): Outgoing {
    return deadLetter(raw, reason, contextOf({ tenant, actor: `topic:${raw.topic}` }), this.#clock.now());
  }
}

type Reading = { readonly ok: true; readonly candidate: Candidate } | { readonly ok: false; readonly rejection: Rejection };

function readRequest(topic: string, tenant: string, envelope: Envelope): Reading {
  const named = envelope.context.tenant;
  if (named !== '' && named !== tenant) {
    return {
      ok: false,
      rejection: rejection('wrong-tenant', `Expected events of tenant ${tenant} on ${topic} but this one names tenant ${JSON.stringify(named)}.`, { details: { topic, tenant: named } }),
    };
  }
  const { id, source, type, subject } = envelope;
  // Whoever writes to the topic is known by the topic alone: what the event says of its actor is not believed.
  const context = { ...envelope.context, tenant, actor: `topic:${topic}`, executionId: '', jobId: '', attempt: 0 };
  const check = checkRequest({ id, source, type, subject: subject ?? '', dataJson: JSON.stringify((envelope.body as Json | undefined) ?? null) }, context);
  return check.ok ? { ok: true, candidate: { incoming: check.incoming, keepsRefusal: true } } : check;
}

/** Why a request that could be read is set aside all the same: its name stands for another request, or the store refuses it. */
function reasonToSetAside(acceptance: Acceptance): Rejection | undefined {
  if (acceptance.kind === 'refused') return acceptance.refusal.code === 'conflict' ? acceptance.refusal : undefined;
  if (acceptance.kind !== 'fault' || (acceptance.fault instanceof Fault && acceptance.fault.retryable)) return undefined;
  const { fault } = acceptance;
  return rejection('request-refused', `Expected a request that can be stored but ${fault instanceof Error ? fault.message : String(fault)}.`);
}

/** A bus inside the process may have no record of a message; what was decoded takes its place. */
function rawOf(topic: string, delivery: Delivery): RawMessage {
  if (delivery.raw !== undefined) return delivery.raw;
  const { id, key, body } = (delivery as Extract<Delivery, { ok: true }>).envelope;
  return { topic, partition: -1, offset: id, key, headers: {}, value: Buffer.from(JSON.stringify(body ?? null)) };
}
