// The way to the receiver and back: what an HTTP exchange can come to.
import type { HttpExchange } from '@weft/tools/core';
import type { Process } from './process.js';
import type { Arriving } from './receiver.js';
import type { World } from './world.js';

/** Sends a request and waits for its answer at most `leftMs`. */
export function sendOut({ chaos, random, receiver }: World, process: Process, request: Arriving, leftMs: number): Promise<HttpExchange> {
  const notSent = (code: 'timeout' | 'unreachable', message: string): Promise<HttpExchange> => Promise.resolve({ kind: 'notSent', code, message, retryable: true });
  if (leftMs <= 0) return notSent('timeout', 'no time is left to send in');
  if (chaos.strikes('receiver-unreachable')) return notSent('unreachable', 'nobody listens');
  const latencyMs = Math.min(leftMs, random.chance(0.9) ? random.between(2, 40) : random.between(40, 900));
  const lost = (ms: number): HttpExchange => ({ kind: 'lost', reason: ms >= leftMs ? 'timeout' : 'cut', message: 'no answer came' });
  const label = `send ${request.counter}`;
  if (chaos.strikes('request-lost')) return process.ask(label, () => lost(leftMs), leftMs);
  if (chaos.strikes('receiver-declines')) return process.ask(label, () => ({ kind: 'answered', status: 503, retryAfterMs: 1_000 }), latencyMs);
  if (chaos.strikes('response-lost')) {
    const ms = random.chance(0.5) ? leftMs : latencyMs;
    return process.ask(label, () => (receiver.receive(request), lost(ms)), ms);
  }
  return process.ask(
    label,
    () => {
      if (chaos.strikes('receiver-error')) {
        if (random.chance(0.5)) receiver.receive(request);
        return { kind: 'answered', status: 500 };
      }
      const answer = receiver.receive(request);
      if (chaos.strikes('crash-after-effect')) process.crash();
      return answer;
    },
    latencyMs,
  );
}
