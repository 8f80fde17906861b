// Where a bench's load enters, and where the ends of its executions come out: what a caller of the bus sees.
import { contextOf, DEFAULT_TENANT, topicName, type Command, type Delivery, type ResultBody } from '@weft/contracts';
import { outgoing, type Bus } from '@weft/pipeline';

/** How an execution ended, as its result event said. */
export interface Ended {
  readonly executionId: string;
  readonly status: string;
}

export interface Door {
  /** Hands in commands to executions; resolves when the bus has taken them. */
  send(commands: readonly Command[]): Promise<void>;
  /** Is told of every result from now on. */
  onResults(listener: (results: readonly Ended[]) => void): Promise<void>;
}

const CONTEXT = contextOf({ tenant: DEFAULT_TENANT, actor: 'service:bench', purpose: 'bench' });

/** The door of whoever is on the bus. */
export function busDoor(bus: Bus): Door {
  return {
    send: (commands) =>
      bus.publish(
        commands.map((command) =>
          outgoing('commands', {
            id: command.id,
            source: '/weft/bench',
            type: command.start ? 'ai.weft.command.start.v1' : 'ai.weft.command.v1',
            key: command.executionId,
            context: command.context ?? { ...CONTEXT, executionId: command.executionId },
            body: command,
          }),
        ),
      ),
    onResults: async (listener) => {
      const handle = async (batch: readonly Delivery[]): Promise<void> => {
        const results: Ended[] = [];
        for (const delivery of batch) {
          if (!delivery.ok) continue;
          const { executionId, status } = delivery.envelope.body as ResultBody;
          results.push({ executionId, status });
        }
        listener(results);
      };
      await bus.subscribe({ topic: topicName('results', DEFAULT_TENANT), group: `bench-${process.pid}-${Date.now()}`, from: 'latest', handle });
    },
  };
}
