import { describeHistoryStore } from './history-store.suite.js';
import { MemoryHistoryStore } from './memory-history-store.js';

describeHistoryStore<string, string, never>({
  name: 'MemoryHistoryStore',
  create: async () => new MemoryHistoryStore(),
  initial: '',
  evolve: (state, event) => state + event,
  eventsOf: (_key, sequence, mark) => [`${mark}${sequence}`, '.'],
});
