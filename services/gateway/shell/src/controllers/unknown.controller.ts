import { All, Controller, Req } from '@nestjs/common';
import { refuse } from '@weft/kernel';
import type { Request } from 'express';

/** What no other route answers: only a caller with a key learns that there is nothing. Registered last. */
@Controller()
export class UnknownController {
  @All('*path')
  unknown(@Req() request: Request): never {
    refuse('not-found', `Expected a known path but there is no ${request.method} ${request.path.slice(0, 200)}.`);
  }
}
