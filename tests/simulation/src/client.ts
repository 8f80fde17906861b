// Clients: they ask over the bus or by a call, ask again until they are answered, and sometimes ask twice.
import type { Fleet } from './fleet.js';
import { DEFINITIONS } from './definition.js';
import { typeOf, type Request, type RoutingReplica } from './routing.replica.js';
import type { World } from './world.js';

const ASKING_MS = 8_000;

export class Client {
  /** Requests by id, as they were first asked. */
  readonly asked = new Map<string, Request>();
  /** What acceptance each call told: the execution, by request id. */
  readonly accepted = new Map<string, string>();

  constructor(
    private readonly world: World,
    private readonly routing: Fleet<RoutingReplica>,
  ) {}

  /** Plans the requests of this world. */
  begin(): void {
    const { random } = this.world;
    const count = random.between(3, 5);
    for (let n = 0; n < count; n++) this.#plan({ id: `r${n}`, type: typeOf(random.below(DEFINITIONS)), total: 0 });
  }

  #plan(request: Request): void {
    const { chaos, random, schedule } = this.world;
    this.asked.set(request.id, request);
    const at = random.below(ASKING_MS);
    const ask = (ms: number, again: Request): void => schedule.after(ms, `client asks ${again.id}`, () => this.#ask(again, random.chance(0.5)));
    ask(at, request);
    if (chaos.strikes('request-duplicate')) ask(at + random.between(0, 5_000), request);
    if (chaos.strikes('request-conflict')) ask(at + random.between(0, 5_000), { ...request, total: 1 });
    if (chaos.strikes('request-unroutable')) this.#plan({ id: `u${this.asked.size}`, type: 'sim.unknown', total: 0 });
  }

  #ask(request: Request, byBus: boolean): void {
    const { bus, random, schedule } = this.world;
    if (byBus) return bus.put('requests', { id: request.id, key: request.id, body: request });
    let isAnswered = false;
    const replica = this.routing.any();
    replica?.process.later(random.between(1, 5), `accepts ${request.id}`, () => {
      replica.accept([request]).then(
        ([answer]) => {
          if (!replica.process.isAlive || answer?.kind === 'fault') return;
          isAnswered = true;
          if (answer?.kind === 'answered') this.#hear(request.id, answer.execution);
        },
        () => undefined,
      );
    });
    schedule.after(2_500, '', () => isAnswered || this.#ask(request, false));
  }

  #hear(id: string, execution: string): void {
    const before = this.accepted.get(id);
    if (before !== undefined && before !== execution) this.world.watch.violate(`I1: request ${id} was accepted as ${before} and as ${execution}`);
    this.accepted.set(id, execution);
  }
}
