import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Authorization, PermissionsPeer } from '@weft/contracts';
import { refuse, type Json, type JsonObject } from '@weft/kernel';
import { bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { PERMISSIONS } from '../ports.js';

const FIELDS = ['workflow', 'agent', 'kind', 'tool', 'arguments', 'taint', 'purpose', 'actor'];

@Controller('v1/authorize')
export class AuthorizeController {
  constructor(@Inject(PERMISSIONS) private readonly permissions: PermissionsPeer) {}

  /** What would be decided about a call, and why: {workflow, agent?, kind?, tool?, arguments?, taint?, purpose?, actor?}. Changes nothing. */
  @Post()
  @HttpCode(200)
  async authorize(@Req() request: KnownRequest): Promise<object> {
    const body = bodyObject(request, 'what to authorise');
    onlyFields(body, FIELDS, 'what to authorise');
    checkStorable(body, 'what to authorise');
    const asked = {
      workflow: textField(body, 'workflow'),
      agent: textField(body, 'agent', ''),
      kind: textField(body, 'kind', 'tool'),
      tool: textField(body, 'tool', ''),
      argumentsJson: body['arguments'] === undefined ? '' : JSON.stringify(body['arguments']),
      taint: labelsOf(body),
      purpose: textField(body, 'purpose', ''),
      actor: textField(body, 'actor', ''),
      budget: undefined,
      attenuation: undefined,
    };
    return authorizationView(await this.permissions.authorize(asked, request.context));
  }
}

function labelsOf({ taint = [] }: JsonObject): string[] {
  const labels = Array.isArray(taint) ? (taint as readonly Json[]) : undefined;
  if (!labels?.every((label) => typeof label === 'string')) refuse('request-invalid', 'Expected field `taint` to be a list of labels but it is not.');
  return labels as string[];
}

function authorizationView({ decision, code, message, reasons, needed, policies, approvalRequest, policyDigest }: Authorization): object {
  return {
    decision,
    ...(code === '' ? {} : { code, message }),
    reasons,
    needed,
    policies,
    ...(approvalRequest
      ? { approval: { digest: approvalRequest.digest, title: approvalRequest.title, subject: JSON.parse(approvalRequest.subjectJson) as unknown, reasons: approvalRequest.reasons } }
      : {}),
    policyDigest,
  };
}
