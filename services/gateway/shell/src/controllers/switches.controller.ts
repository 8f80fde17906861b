import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { PermissionsPeer, SwitchState } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { GatewaySettings } from '../config.js';
import { bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { pageOf, queryText } from '../http/query.js';
import { PERMISSIONS, SETTINGS } from '../ports.js';

@Controller('v1/switches')
export class SwitchesController {
  constructor(
    @Inject(PERMISSIONS) private readonly permissions: PermissionsPeer,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** What is off, of the caller's tenant and of all; with `tenant=*`, for operators, of every tenant. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const tenant = this.#tenantOf(queryText(request, 'tenant'), request);
    const { switches, nextCursor } = await this.permissions.listSwitches({ tenant, ...pageOf(request) }, request.context);
    return { switches: switches.map(switchView), nextCursor };
  }

  /** Stops something or lets it go on: {kind, name?, off, reason, tenant?}. Without `tenant` what belongs to the caller's. */
  @Post()
  @HttpCode(200)
  async change(@Req() request: KnownRequest): Promise<object> {
    const body = bodyObject(request, 'a switch');
    onlyFields(body, ['kind', 'name', 'off', 'reason', 'tenant'], 'a switch');
    checkStorable(body, 'a switch');
    const { off } = body;
    if (typeof off !== 'boolean') refuse('request-invalid', 'Expected field `off` to be true or false but it is neither.');
    const kind = textField(body, 'kind');
    const tenant = this.#tenantOf(textField(body, 'tenant', kind === 'everything' ? '*' : ''), request);
    return switchView(await this.permissions.changeSwitch({ kind, tenant, name: textField(body, 'name', ''), off, reason: textField(body, 'reason', '') }, request.context));
  }

  /** @throws Refused `denied` when it is neither the caller's own nor the caller an operator. */
  #tenantOf(asked: string, { caller }: KnownRequest): string {
    if (asked === '' || asked === caller.tenant) return caller.tenant;
    if (!this.settings.WEFT_OPERATORS.includes(caller.tenant))
      refuse('denied', 'Expected a key of a tenant that operates this deployment: what belongs to others is none of its business. The operator lists them in WEFT_OPERATORS.');
    return asked;
  }
}

const switchView = ({ kind, tenant, name, off, reason, changedBy, changedAtMs }: SwitchState): object => ({
  kind,
  tenant,
  ...(name === '' ? {} : { name }),
  off,
  reason,
  changedBy,
  changedAt: new Date(changedAtMs).toISOString(),
});
