import { describeBus, describeLimiter, describeSlots, describeStream } from '@weft/port-specs';
import { LocalBus } from './local-bus.js';
import { LocalLimiter } from './local-limiter.js';
import { LocalSlots } from './local-slots.js';
import { LocalStream } from './local-stream.js';

describeBus({ name: 'LocalBus', create: async () => new LocalBus() });
describeLimiter({ name: 'LocalLimiter', create: async (allowance) => new LocalLimiter(allowance) });
describeStream({
  name: 'LocalStream',
  create: async () => {
    const stream = new LocalStream();
    return { writer: stream, reader: stream };
  },
});
describeSlots({ name: 'LocalSlots', create: async () => new LocalSlots() });
