// A bus like Kafka's: partitions, groups with offsets, at least once. Order holds within a key, and nothing else does.
import { hash32 } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import type { Chaos } from './chaos.js';
import type { Process } from './process.js';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';

export interface Message {
  readonly id: string;
  readonly key: string;
  readonly body: unknown;
}

/** One member of a group: handles batches; offsets move after it resolves. */
export interface Consumer {
  readonly process: Process;
  readonly handle: (batch: readonly Message[]) => Promise<void>;
}

interface Partition {
  readonly log: Message[];
  readonly groups: Assignment[];
}

/** How far a group has come in one partition, and who reads it. */
interface Assignment {
  readonly name: string;
  readonly members: () => readonly Consumer[];
  committed: number;
  owner: Consumer | undefined;
  /** Rises whenever the partition changes hands or is read again: an acknowledgement of before counts no more. */
  epoch: number;
  isBusy: boolean;
}

const PARTITIONS = 3;
const BATCH_MAX = 8;
const SESSION_MS = 2_000;

export class Bus {
  /** Ids of messages that went with a lost log before anybody had acknowledged them. */
  readonly lost = new Set<string>();
  #awayUntil = 0;
  readonly #topics = new Map<string, readonly Partition[]>();

  constructor(
    private readonly schedule: Schedule,
    private readonly random: Random,
    private readonly chaos: Chaos,
  ) {}

  /** Everything that was ever published to a topic. */
  published(topic: string): readonly Message[] {
    return this.#partitions(topic).flatMap(({ log }) => log);
  }

  subscribe(topic: string, group: string, members: () => readonly Consumer[]): void {
    for (const partition of this.#partitions(topic)) partition.groups.push({ name: `${topic}/${group}`, members, committed: 0, owner: undefined, epoch: 0, isBusy: false });
  }

  /** Publishes from a process. @throws Fault (retryable): it may be on the bus all the same. */
  publish(process: Process, topic: string, messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    if (this.chaos.strikes('bus-away')) this.#awayUntil = this.schedule.now + this.random.between(200, 5_000);
    return process.ask(`publish ${messages.length} to ${topic}`, () => {
      if (this.schedule.now < this.#awayUntil) throw new Fault('the bus is away', true);
      for (const message of messages) this.#append(topic, message);
      if (this.chaos.strikes('bus-log-lost')) this.#lose();
      if (this.chaos.strikes('bus-publish-answer-lost')) throw new Fault('the bus did not answer', true);
    });
  }

  /** A message from outside Weft, such as a client's. */
  put(topic: string, message: Message): void {
    this.#append(topic, message);
  }

  /** Messages that some group has not acknowledged. */
  get backlog(): number {
    let backlog = 0;
    for (const partitions of this.#topics.values()) for (const { log, groups } of partitions) for (const group of groups) backlog += log.length - group.committed;
    return backlog;
  }

  #partitions(topic: string): readonly Partition[] {
    const known = this.#topics.get(topic);
    if (known) return known;
    const partitions = Array.from({ length: PARTITIONS }, (): Partition => ({ log: [], groups: [] }));
    this.#topics.set(topic, partitions);
    return partitions;
  }

  #append(topic: string, message: Message): void {
    const partition = this.#partitions(topic)[hash32(message.key) % PARTITIONS]!;
    const { log, groups } = partition;
    const last = log.at(-1);
    const isUnread = groups.every((group) => group.committed < log.length && !group.isBusy);
    if (last && isUnread && last.key !== message.key && this.chaos.strikes('bus-reorder')) log.splice(-1, 0, message);
    else log.push(message);
    if (this.chaos.strikes('bus-duplicate')) log.push(message);
    for (const group of groups) this.#wake(partition, group);
  }

  /** The brokers come back without what nobody had read. */
  #lose(): void {
    for (const [topic, partitions] of this.#topics) {
      // A client that was told its request lies on the bus has no reason to send it again.
      if (topic === 'requests') continue;
      for (const partition of partitions) {
        for (const group of partition.groups) {
          for (const { id } of partition.log.slice(group.committed)) this.lost.add(id);
          group.committed = partition.log.length;
          group.epoch++;
          group.isBusy = false;
        }
      }
    }
  }

  #wake(partition: Partition, group: Assignment): void {
    if (group.isBusy || group.committed >= partition.log.length) return;
    group.isBusy = true;
    const epoch = ++group.epoch;
    const delayMs = this.chaos.strikes('bus-delay') ? this.random.between(300, 4_000) : this.random.between(1, 20);
    this.schedule.after(delayMs, '', () => group.epoch === epoch && this.#deliver(partition, group));
  }

  #deliver(partition: Partition, group: Assignment): void {
    if (this.chaos.strikes('bus-rewind')) group.committed = Math.max(0, group.committed - this.random.between(1, 20));
    const consumer = this.#ownerOf(group);
    if (!consumer || this.chaos.strikes('bus-drop')) {
      this.#again(partition, group, this.random.between(100, 500));
      return;
    }
    const { committed, epoch } = group;
    const batch = partition.log.slice(committed, committed + this.random.between(1, BATCH_MAX));
    this.#watch(partition, group, epoch);
    consumer.process.later(0, `takes ${batch.length} of ${group.name}`, () => {
      consumer.handle(batch).then(
        () => this.#acknowledge(partition, group, epoch, committed + batch.length),
        () => group.epoch === epoch && this.#again(partition, group, this.random.between(100, 1_000)),
      );
    });
  }

  #ownerOf(group: Assignment): Consumer | undefined {
    const { owner } = group;
    const members = group.members();
    if (owner && members.includes(owner) && !owner.process.isPaused && !this.chaos.strikes('bus-rebalance')) return owner;
    const able = members.filter(({ process }) => !process.isPaused);
    group.owner = able.length > 0 ? this.random.pick(able) : undefined;
    return group.owner;
  }

  #acknowledge(partition: Partition, group: Assignment, epoch: number, offset: number): void {
    if (group.epoch !== epoch) return;
    if (!this.chaos.strikes('bus-acknowledgement-lost')) group.committed = offset;
    this.#again(partition, group, 0);
  }

  #again(partition: Partition, group: Assignment, ms: number): void {
    group.epoch++;
    const { epoch } = group;
    this.schedule.after(ms, '', () => {
      if (group.epoch !== epoch) return;
      group.isBusy = false;
      this.#wake(partition, group);
    });
  }

  /** Gives the partition to another member when its owner has died or does not move. */
  #watch(partition: Partition, group: Assignment, epoch: number): void {
    this.schedule.after(SESSION_MS, '', () => {
      if (group.epoch !== epoch) return;
      const { owner } = group;
      if (owner && owner.process.isAlive && !owner.process.isPaused) this.#watch(partition, group, epoch);
      else this.#again(partition, group, 0);
    });
  }
}
