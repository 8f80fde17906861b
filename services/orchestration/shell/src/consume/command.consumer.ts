// weft.commands: decode, decide in batches, set aside what nobody can decide.
import type { Command, Delivery } from '@weft/contracts';
import { PAYLOAD_BYTES_LIMIT } from '@weft/nest-platform';
import { rejection, type Rejection } from '@weft/kernel';
import type { CommandOf, ExecutionCommand } from '@weft/orchestration/core';
import { deadLetter, failpoint, type Bus, type Clock, type Item, type Outgoing } from '@weft/pipeline';
import { contextOf } from '@weft/contracts';
import type { ExecutionEngine } from '../handle/execution-engine.js';
import type { Children } from '../handle/children.js';
import type { ForkHistory } from '../persist/fork-history.js';
import { announce, type Announced } from '../publish/announcer.js';
import type { HandledCommands } from './handled-commands.js';
import { readCommand, readFork, type CommandReading } from './command.codec.js';

export class CommandConsumer {
  #inHand = 0;

  constructor(
    private readonly engine: ExecutionEngine,
    private readonly bus: Bus,
    private readonly clock: Clock,
    private readonly forks: ForkHistory,
    private readonly children: Children,
    private readonly payloadBytesMax: number = PAYLOAD_BYTES_LIMIT,
    private readonly handled?: HandledCommands,
  ) {}

  /** Resolves when every command of the batch is durable, ignored or set aside: only then the offsets may move. */
  readonly handle = async (batch: readonly Delivery[]): Promise<void> => {
    this.#inHand += 1;
    try {
      await this.#handle(batch);
    } finally {
      this.#inHand -= 1;
    }
  };

  /** Batches that are being dealt with. */
  get inHand(): number {
    return this.#inHand;
  }

  async #handle(batch: readonly Delivery[]): Promise<void> {
    const items: Item<ExecutionCommand>[] = [];
    const itemDeliveries: Delivery[] = [];
    const dead: Outgoing[] = [];
    for (const delivery of batch) {
      const body = delivery.ok ? (delivery.envelope.body as Command) : undefined;
      const reading = !delivery.ok ? delivery : body!.forkFrom ? await this.#readFork(body!) : readCommand(body!, this.payloadBytesMax);
      if (reading.ok && delivery.ok && 'command' in reading) {
        items.push({ key: (delivery.envelope.body as Command).executionId, command: reading.command, messageId: delivery.envelope.id });
        itemDeliveries.push(delivery);
      } else if (!reading.ok) this.#setAside(dead, delivery, reading.rejection);
    }
    await this.#resolveChildren(items);
    failpoint('orchestration.decide-commands', 'before');
    const outcomes = await this.engine.submit(items);
    failpoint('orchestration.decide-commands', 'after');
    const begun = items.flatMap(({ command }, index) => (command.type === 'StartExecution' && outcomes[index]?.kind === 'ignored' ? [command] : []));
    outcomes.forEach((outcome, index) => {
      if (outcome.kind === 'setAside')
        this.#setAside(
          dead,
          itemDeliveries[index]!,
          rejection('message-refused', `Expected a command that can be decided but ${outcome.fault instanceof Error ? outcome.fault.message : String(outcome.fault)}.`),
        );
    });
    if (dead.length > 0) await this.bus.publish(dead);
    // Whoever asks again has not heard that the execution began: without this it would ask for ever.
    await announce(
      this.bus,
      begun.map((command) => this.#beginning(command)),
    );
    await this.children.endAgain(begun.filter(({ parent }) => parent?.isAwaited).map(({ executionId }) => executionId));
    this.handled?.note(batch.flatMap((delivery) => (delivery.ok ? [delivery.envelope.id] : [])));
  }

  /** What a task of another execution starts is named by its document, not by its digest. */
  async #resolveChildren(items: Item<ExecutionCommand>[]): Promise<void> {
    const starts = items.flatMap(({ command }, at) => (command.type === 'StartExecution' && isChild(command) ? [{ at, command }] : []));
    const resolved = await this.children.resolved(starts.map(({ command }) => command));
    starts.forEach(({ at }, index) => (items[at] = { ...items[at]!, command: resolved[index]! }));
  }

  async #readFork(wire: Command): Promise<CommandReading> {
    const fork = readFork(wire);
    if (!fork) return { ok: false, rejection: rejection('message-invalid', 'Expected a fork to name the execution that begins and the one that it comes from but one of them is no UUID.') };
    const command = await this.forks.read(fork, wire.context?.tenant ?? '');
    if (command) return { ok: true, command };
    return {
      ok: false,
      rejection: rejection('message-refused', `Expected the history of execution ${fork.from.execution} up to version ${fork.from.version}, to fork it, but it is not there or cannot be read.`),
    };
  }

  /** The announcement of a beginning, under the id that it had the first time. */
  #beginning(command: CommandOf<'StartExecution'>): Announced {
    const { type: _type, ...facts } = command;
    const at = this.clock.now();
    return { at, facts, sequence: 0, events: [{ type: 'ExecutionStarted', at, ...facts }] };
  }

  #setAside(dead: Outgoing[], delivery: Delivery, reason: Rejection): void {
    const { raw } = delivery;
    const context = delivery.ok ? delivery.envelope.context : contextOf({ tenant: '' });
    // A bus inside the process has no raw record; what was decoded takes its place.
    const lay = raw ?? {
      topic: 'weft.commands',
      partition: -1,
      offset: delivery.ok ? delivery.envelope.id : '',
      key: delivery.ok ? delivery.envelope.key : '',
      headers: {},
      value: Buffer.from(delivery.ok ? JSON.stringify(delivery.envelope.body) : ''),
    };
    dead.push(deadLetter(lay, reason, context, this.clock.now()));
  }
}

const isChild = ({ parent, definition }: CommandOf<'StartExecution'>): boolean => parent !== undefined && definition.digest === '';
