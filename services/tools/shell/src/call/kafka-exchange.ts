// Messages of AsyncAPI over Kafka: every broker that a connection goes to is one that egress lets it reach.
import { collectFrom, endOfTopic, publishOnce, type Collecting, type ForeignCluster, type TopicPosition } from '@weft/adapter-kafka';
import type { Job } from '@weft/contracts';
import { rejection, type Failure } from '@weft/kernel';
import { classifyHttp, identityHeaders } from '@weft/tools/core';
import { notMade, type Sent } from '../carry-out/work.js';
import type { EgressClient } from '../egress/egress-client.js';
import type { ReadyExchange } from './asyncapi-call.js';
import type { Collected } from './asyncapi-subscription.js';

/** @returns why there is no cluster to speak with. */
function clusterOf(egress: EgressClient, { call, place, sender }: ReadyExchange): ForeignCluster | { readonly failure: Failure } {
  const brokers = place.server.split(',').map((broker) => (/:\d+$/.test(broker) ? broker : `${broker}:9092`));
  const login = saslOf(call.authentication);
  if (login && 'failure' in login) return login;
  return {
    brokers: brokers.join(','),
    isSecure: place.isSecure,
    connect: ({ host, port, ssl, onConnect }) => egress.connect({ host, port, isSecure: Boolean(ssl) }, sender, onConnect),
    ...(login ? { sasl: login } : {}),
  };
}

type Sasl = NonNullable<ForeignCluster['sasl']>;

function saslOf(authentication: ReadyExchange['call']['authentication']): Sasl | { readonly failure: Failure } | undefined {
  if (authentication === undefined) return undefined;
  const { basic } = authentication as { readonly basic?: { readonly username?: unknown; readonly password?: unknown } };
  if (typeof basic?.username === 'string' && typeof basic.password === 'string') return { mechanism: 'plain', username: basic.username, password: basic.password };
  return { failure: rejection('not-configured', 'Expected an authentication that Kafka knows but it is not `basic`, which goes as SASL PLAIN.') };
}

export async function publishToKafka(egress: EgressClient, job: Job, ready: ReadyExchange): Promise<Sent> {
  const cluster = clusterOf(egress, ready);
  if ('failure' in cluster) return notMade(cluster.failure);
  const { payload, headers } = ready.call.message;
  const told = await publishOnce(
    cluster,
    ready.place.address,
    { value: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)), headers: { 'content-type': 'application/json', ...headers, ...identityHeaders(job) } },
    job.executionId,
  );
  if (told.kind === 'published') return { outcome: { kind: 'confirmed' }, answer: { output: null } };
  if (told.kind === 'notSent') return notMade(rejection('unreachable', `Expected a connection to ${ready.place.server} but ${told.message}.`, { retryable: true }));
  return { outcome: classifyHttp('non-idempotent-write', { kind: 'lost', reason: 'cut', message: `Expected ${ready.place.server} to store the message but ${told.message}.` }) };
}

/** Collects from where it is told to begin, else what is published from now on. */
export const collectFromKafka = (egress: EgressClient, group: string, ready: ReadyExchange, collecting: Collecting): Promise<Collected> =>
  collected(egress, ready, (cluster) => collectFrom(cluster, ready.place.address, group, collecting));

/** Where a subscription begins: it has nothing yet, and misses nothing from here on. */
export const beginOnKafka = (egress: EgressClient, ready: ReadyExchange): Promise<Collected> => collected(egress, ready, (cluster) => endOfTopic(cluster, ready.place.address));

async function collected(egress: EgressClient, ready: ReadyExchange, read: (cluster: ForeignCluster) => Promise<TopicPosition>): Promise<Collected> {
  const cluster = clusterOf(egress, ready);
  if ('failure' in cluster) return cluster;
  try {
    return { position: await read(cluster) };
  } catch (error) {
    return { failure: rejection('unreachable', `Expected to read ${ready.place.address} of ${ready.place.server} but ${(error as Error).message}.`, { retryable: true }) };
  }
}
