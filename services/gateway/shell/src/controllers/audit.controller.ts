// The transparency log, in the layout that any tlog-tiles client reads. Its tree is hashes alone and open to every tenant; its
// entries name tenants and executions, so only auditors read them.
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { AuditPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { Response } from 'express';
import type { KnownRequest } from '../http/key.guard.js';
import type { GatewaySettings } from '../config.js';
import { AUDIT, SETTINGS } from '../ports.js';

@Controller('v1/audit')
export class AuditController {
  constructor(
    @Inject(AUDIT) private readonly audit: AuditPeer,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** The newest checkpoint: the signed note as text, or with its verifier key when JSON is asked for. */
  @Get('checkpoint')
  async checkpoint(@Req() request: KnownRequest, @Res() response: Response): Promise<void> {
    const { note, verifierKey, size } = await this.audit.getCheckpoint({}, request.context);
    response.setHeader('Cache-Control', 'no-store');
    if (request.accepts(['text/plain', 'application/json']) === 'application/json') response.json({ size, note, verifierKey });
    else response.type('text/plain').send(note);
  }

  /** A tile or an entry bundle, as bytes. Source: https://c2sp.org/tlog-tiles */
  @Get('tile/*path')
  async tile(@Param('path') parts: string | readonly string[], @Req() request: KnownRequest, @Res() response: Response): Promise<void> {
    const path = `tile/${typeof parts === 'string' ? parts : parts.join('/')}`;
    if (!/^tile\/(entries|\d{1,2})(\/x?\d{3}){1,8}(\.p\/\d{1,3})?$/.test(path))
      refuse('not-found', `Expected the path of a tile such as tile/0/000 or tile/entries/000.p/5 but got ${JSON.stringify(path.slice(0, 80))}.`);
    if (path.startsWith('tile/entries/') && !this.settings.WEFT_AUDITORS.includes(request.caller.tenant)) {
      refuse('denied', 'Expected a key of a tenant that audits this log: its entries name the tenants and executions of everybody. The operator lists auditors in WEFT_AUDITORS.');
    }
    const { data } = await this.audit.getTile({ path }, request.context);
    // A tile never changes once it exists.
    response.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
    response.type('application/octet-stream').send(Buffer.from(data));
  }
}
