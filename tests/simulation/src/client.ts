// Clients: they ask over the bus or by a call, ask again until they are answered, and sometimes ask twice.
import { listenKeysOf } from '@weft/orchestration/core';
import { TENANT } from './execution-table.js';
import type { Fleet } from './fleet.js';
import { DEFINITIONS, signalType } from './definition.js';
import type { OrchestrationReplica } from './orchestration.replica.js';
import { SOURCE, typeOf, type Request, type RoutingReplica } from './routing.replica.js';
import type { World } from './world.js';

type Signal = { readonly id: string; readonly source: string; readonly type: string; readonly data: { readonly request: string; readonly total: number } };

const ASKING_MS = 8_000;

export class Client {
  /** Requests by id, as they were first asked. */
  readonly asked = new Map<string, Request>();
  /** What acceptance each call told: the execution, by request id. */
  readonly accepted = new Map<string, string>();

  constructor(
    private readonly world: World,
    private readonly routing: Fleet<RoutingReplica>,
    private readonly orchestration: Fleet<OrchestrationReplica>,
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

  /** Sends each event that an execution listens for, until it has it: some before it has begun. */
  signal(execution: string, request: string): void {
    const { random, schedule, definitions, watch } = this.world;
    for (const listen of definitions.get(execution)!.listens) {
      const { name, isCorrelated } = listen;
      const id = `${execution}.${name}`;
      watch.sentSignals.add(id);
      const event = { id, source: SOURCE, type: signalType(listen), data: { request, total: 0 } };
      // Who is not named is found by what is waited for, and only then.
      const isNamed = !isCorrelated || random.chance(0.5);
      schedule.after(random.between(0, 6_000), '', () => this.#signal(execution, event, isNamed));
    }
  }

  #signal(execution: string, event: Signal, isNamed: boolean): void {
    const { chaos, schedule } = this.world;
    let isHeard = false;
    const times = chaos.strikes('signal-duplicate') ? 2 : 1;
    for (let time = 0; time < times; time++) this.#sendSignal(execution, event, isNamed, () => (isHeard = true));
    schedule.after(2_000, '', () => isHeard || this.#signal(execution, event, isNamed));
  }

  #sendSignal(execution: string, event: Signal, isNamed: boolean, heard: () => void): void {
    const { random, executions } = this.world;
    const replica = this.orchestration.any();
    if (!replica) return;
    const { id, source, type } = event;
    replica.process.later(random.between(1, 6), `hears signal ${id}`, () => {
      const keys = isNamed ? [execution] : executions.listening(listenKeysOf(type, event) ?? []);
      const command = { type: 'ReceiveSignal', tenant: TENANT, source, id, eventType: type, event, taint: [], isCorrelated: !isNamed } as const;
      if (!isNamed && keys.length > 0) this.world.schedule.note(`signal ${id} is for ${keys.length}`);
      replica.submit(keys.map((key) => ({ key, command, messageId: `signal/${id}` }))).then(
        (outcomes) => {
          const outcome = outcomes[keys.indexOf(execution)];
          const isTaken = outcome?.kind === 'accepted' || (outcome?.kind === 'ignored' && outcome.reason === 'duplicate');
          // What has faulted may be retried, and then waits for its event.
          const status = executions.rows.get(execution)?.status;
          if (replica.process.isAlive && (isTaken || status === 'completed' || status === 'cancelled')) heard();
        },
        () => undefined,
      );
    });
  }

  #hear(id: string, execution: string): void {
    const before = this.accepted.get(id);
    if (before !== undefined && before !== execution) this.world.watch.violate(`I1: request ${id} was accepted as ${before} and as ${execution}`);
    this.accepted.set(id, execution);
  }
}
