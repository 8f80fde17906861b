import { Controller, Get } from '@nestjs/common';

@Controller()
export class RootController {
  /** What this is and where to go from here. */
  @Get()
  about(): object {
    return {
      name: 'weft',
      what: 'An operating system for AI workflows: publish a request event, read its answer, prove what happened.',
      docs: 'README.md and services/gateway/README.md',
      routes: ['/v1/requests', '/v1/executions', '/v1/reviews', '/v1/definitions', '/v1/audit/checkpoint', '/v1/chat/completions', '/health/live', '/health/ready'],
    };
  }
}
