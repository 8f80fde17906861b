import { describeBus, describeLimiter } from '@weft/port-specs';
import { LocalBus } from './local-bus.js';
import { LocalLimiter } from './local-limiter.js';

describeBus({ name: 'LocalBus', create: async () => new LocalBus() });
describeLimiter({ name: 'LocalLimiter', create: async (allowance) => new LocalLimiter(allowance) });
