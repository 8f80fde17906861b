// Tells webhooks: an event becomes a row for each receiver, and a row is sent until it is taken. Source: Standard Webhooks 1.0.
import { createHmac } from 'node:crypto';
import { contextOf } from '@weft/contracts';
import { rejection } from '@weft/kernel';
import { deadLetter, systemClock, type Bus } from '@weft/pipeline';
import { meaningOf, pauseAfter, signedText, type Webhook } from '@weft/tools/core';
import type { EgressClient } from '../egress/egress-client.js';
import type { Secrets } from '../secret/secrets.js';
import type { ClaimedMessage, WebhookMessage, WebhookStore } from './webhook.store.js';

export interface WebhookPorts {
  readonly webhooks: readonly Webhook[];
  readonly store: WebhookStore;
  readonly egress: Pick<EgressClient, 'send'>;
  readonly secrets: Secrets;
  readonly bus: Bus;
  /** How long a receiver has to answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  readonly onFault: (fault: unknown, what: string) => void;
}

const TIMEOUT_MS = 10_000;
// Longer than an attempt may take, so that nobody else sends what is on its way.
const LEASE_MS = 60_000;
const LOOK_MS = 1_000;
const AT_ONCE = 16;
const KEPT_DAYS = 7;
const FORGET_EVERY_MS = 3_600_000;

export class Webhooks {
  readonly #webhooks: ReadonlyMap<string, Webhook>;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isWoken = false;
  #isStopped = false;
  #forgetAt = 0;

  constructor(private readonly ports: WebhookPorts) {
    this.#webhooks = new Map(ports.webhooks.map((webhook) => [`${webhook.tenant}\n${webhook.name}`, webhook]));
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Keeps messages and sends them as soon as may be. */
  async tell(messages: readonly WebhookMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await this.ports.store.add(messages);
    this.#look();
  }

  #look(): void {
    this.#isWoken = true;
    if (this.#isStopped) return;
    this.#looking ??= this.#sendDue()
      .catch((fault: unknown) => this.ports.onFault(fault, 'telling webhooks'))
      .finally(() => (this.#looking = undefined));
  }

  async #sendDue(): Promise<void> {
    const { store } = this.ports;
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false;
      const claimed = await store.claim(AT_ONCE, LEASE_MS);
      if (claimed.length === AT_ONCE) this.#isWoken = true;
      await Promise.all(claimed.map((message) => this.#send(message)));
    }
    if (performance.now() < this.#forgetAt) return;
    this.#forgetAt = performance.now() + FORGET_EVERY_MS;
    await store.forget(KEPT_DAYS);
  }

  async #send(message: ClaimedMessage): Promise<void> {
    const webhook = this.#webhooks.get(`${message.tenant}\n${message.webhook}`);
    if (!webhook) return this.#setAside(message, 'there is no webhook of this name any more');
    const secret = this.ports.secrets(webhook.secret);
    if (secret === undefined) return this.#again(message, `the secret ${webhook.secret} is not set`, 0);
    const atS = Math.floor(systemClock.now() / 1000);
    const answer = await this.ports.egress.send({
      method: 'POST',
      url: webhook.url,
      headers: {
        'content-type': 'application/cloudevents+json',
        'webhook-id': message.id,
        'webhook-timestamp': String(atS),
        'webhook-signature': `v1,${signatureOf(secret, signedText(message.id, atS, message.body))}`,
      },
      body: message.body,
      sender: { name: `webhook ${webhook.name}`, origins: [new URL(webhook.url).origin], mayGoAnywherePublic: false },
      timeoutMs: this.ports.timeoutMs ?? TIMEOUT_MS,
      mayRepeat: true,
    });
    if (answer.kind !== 'answered') return this.#again(message, answer.message, 0);
    const meaning = meaningOf(answer.status);
    if (meaning === 'taken') return this.ports.store.settle(message, 'taken', 0, '');
    if (meaning === 'never') return this.#setAside(message, `it answered ${answer.status}: it is gone`);
    return this.#again(message, `it answered ${answer.status}`, retryAfterMsOf(answer.headers['retry-after']));
  }

  async #again(message: ClaimedMessage, problem: string, retryAfterMs: number): Promise<void> {
    const pauseMs = pauseAfter(message.attempt, retryAfterMs);
    if (pauseMs === undefined) return this.#setAside(message, problem);
    await this.ports.store.settle(message, 'waiting', pauseMs, problem);
  }

  /** The dead letter first: whoever dies in between sets it aside once more, under the same id. */
  async #setAside(message: ClaimedMessage, problem: string): Promise<void> {
    const reason = rejection('webhook-undeliverable', `Expected webhook ${message.webhook} of tenant ${message.tenant} to take event ${message.id} but ${problem}, after ${message.attempt} attempts.`);
    const raw = { topic: 'weft.lifecycle', partition: -1, offset: `${message.webhook}/${message.id}`, key: message.id, headers: {}, value: Buffer.from(message.body) };
    await this.ports.bus.publish([deadLetter(raw, reason, contextOf({ tenant: message.tenant }), systemClock.now())]);
    await this.ports.store.settle(message, 'set-aside', 0, problem);
  }
}

/** A secret is text, or `whsec_` and base64. Source: Standard Webhooks, "signature scheme". */
function signatureOf(secret: string, text: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
  return createHmac('sha256', key).update(text).digest('base64');
}

function retryAfterMsOf(header: string | undefined): number {
  const seconds = Number(header ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
