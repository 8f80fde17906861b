import { deadTopicName, TOPICS, topicOfName } from '@weft/contracts';
import { Fault } from '@weft/pipeline';
import { kafkaClient, type KafkaConnection } from './kafka-client.js';
import { kafkaFault } from './kafka-fault.js';
import { setTimeout as sleep } from 'node:timers/promises';

// A request is at most 1 MiB; an execution's command or job may carry several payloads. A dead letter holds its message in base64.
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const DEAD_BYTES_MAX = 8 * 1024 * 1024;

const ATTEMPTS_MAX = 20;
const ATTEMPT_PAUSE_MS = 300;

/**
 * Creates the topics that are missing, each with its `.dead` twin, with the registry's number of partitions and the
 * broker's default replication. Topics that exist stay as they are.
 * @param names full names, tenant suffix included; default: the registered topics of the default tenant.
 * @returns the names that were created.
 * @throws Fault when the brokers cannot be reached or refuse; final when a name is not registered.
 */
export async function ensureTopics(connection: KafkaConnection, names: readonly string[] = Object.values(TOPICS).map(({ name }) => name)): Promise<readonly string[]> {
  const wanted = names.flatMap((name) => {
    const found = topicOfName(name);
    if (!found.ok) throw new Fault(found.rejection.message, false);
    const numPartitions = TOPICS[found.key].partitions;
    return [
      { topic: name, numPartitions, configEntries: [{ name: 'max.message.bytes', value: String(MESSAGE_BYTES_MAX) }] },
      { topic: deadTopicName(name), numPartitions, configEntries: [{ name: 'max.message.bytes', value: String(DEAD_BYTES_MAX) }] },
    ];
  });
  const admin = kafkaClient(connection).admin({ retry: { retries: 6, initialRetryTime: 200, maxRetryTime: 2_000 } });
  try {
    await admin.connect();
    for (let attempt = 1; ; attempt++) {
      try {
        const existing = new Set(await admin.listTopics());
        const missing = wanted.filter(({ topic }) => !existing.has(topic));
        if (missing.length > 0) await admin.createTopics({ waitForLeaders: true, topics: missing });
        // Those that another process is creating right now are listed before they can be read.
        const { topics } = await admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) });
        const leaderless = topics.find(({ partitions }) => partitions.length === 0 || partitions.some(({ leader }) => leader < 0));
        if (leaderless) throw new Fault(`topic ${leaderless.name} has no leader yet`, true);
        return missing.map(({ topic }) => topic);
      } catch (thrown) {
        // The services of a mesh start at the same time and create the same topics: some exist by now, others have no leader yet.
        if (attempt === ATTEMPTS_MAX) throw thrown;
        await sleep(ATTEMPT_PAUSE_MS);
      }
    }
  } catch (thrown) {
    throw kafkaFault('creating topics failed', thrown);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
