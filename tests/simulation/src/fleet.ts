// The replicas of one service: started, paused, crashed and started again.
import { Process } from './process.js';
import type { World } from './world.js';

/** What runs in a process. */
export interface Running {
  readonly process: Process;
}

export class Fleet<R extends Running> {
  readonly #running = new Map<number, R>();
  #incarnations = 0;

  constructor(
    private readonly world: World,
    private readonly service: string,
    replicas: number,
    private readonly start: (process: Process) => R,
  ) {
    for (let slot = 0; slot < replicas; slot++) this.#start(slot);
  }

  /** Those that are not dead. */
  get members(): readonly R[] {
    return [...this.#running.values()];
  }

  /** One that answers, or undefined when none does. */
  any(): R | undefined {
    const able = this.members.filter(({ process }) => !process.isPaused);
    return able.length > 0 ? this.world.random.pick(able) : undefined;
  }

  /** Makes trouble for one of them. */
  trouble(): void {
    const { random, chaos } = this.world;
    const victim = random.pick([...this.#running.values(), undefined])?.process;
    if (!victim) return;
    if (chaos.strikes('crash-anytime')) victim.crash();
    else if (chaos.strikes('pause')) victim.pause(random.between(100, 12_000));
  }

  #start(slot: number): void {
    const { world } = this;
    const process = new Process(`${this.service}-${slot}.${this.#incarnations++}`, world.schedule, world.random, () => {
      this.#running.delete(slot);
      world.schedule.after(world.random.between(100, 4_000), `${this.service}-${slot} starts`, () => this.#start(slot));
    });
    if (world.chaos.strikes('clock-skew')) process.skewMs = world.random.between(-400, 400);
    this.#running.set(slot, this.start(process));
  }
}
