import { describeBus, serverUnderTest } from '@weft/port-specs';
import { ensureTopics } from './ensure-topics.js';
import { KafkaBus } from './kafka-bus.js';

const server = serverUnderTest('kafka');
const brokers = [server.address ?? ''];

describeBus({
  name: 'KafkaBus',
  server,
  create: async (topics) => {
    await ensureTopics({ brokers }, topics);
    return new KafkaBus({ brokers, heartbeatMs: 300, fetchWaitMs: 100 });
  },
});
