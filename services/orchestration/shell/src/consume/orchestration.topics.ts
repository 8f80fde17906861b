import { Controller } from '@nestjs/common';
import { TOPICS, type Delivery } from '@weft/contracts';
import { OnTopic } from '@weft/nest-platform';
import { CommandConsumer } from './command.consumer.js';

/** What orchestration takes from the bus. */
@Controller()
export class OrchestrationTopics {
  constructor(private readonly commands: CommandConsumer) {}

  @OnTopic(TOPICS.commands.name, { group: 'weft-orchestration' })
  onCommands(batch: readonly Delivery[]): Promise<void> {
    return this.commands.handle(batch);
  }
}
