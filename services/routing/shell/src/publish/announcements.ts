// What the others are told of a stored request. Everything derives from the row, so that telling again is telling the same.
import type { Command } from '@weft/contracts';
import { assertNever } from '@weft/kernel';
import { outgoing, type Outgoing } from '@weft/pipeline';
import type { DecidedRequest, StoredRequest } from '../persist/request-record.js';

const SOURCE = '/weft/routing';

/** The command that starts the execution of an accepted request, or the result of a refused one. */
export function announcementOf(request: DecidedRequest | StoredRequest): Outgoing {
  const { verdict, executionId, id, context, acceptedAt: time } = request;
  switch (verdict.status) {
    case 'accepted': {
      const commandId = `start/${executionId}`;
      const start = {
        requestSource: request.source,
        requestId: id,
        requestType: request.type,
        definition: verdict.selection.definition,
        inputJson: request.dataJson ?? 'null',
        models: verdict.selection.models,
        hops: 0,
      };
      const body: Command = { id: commandId, executionId, context, start };
      return outgoing('commands', { id: commandId, source: SOURCE, type: 'ai.weft.command.start.v1', subject: id, time, key: executionId, context, body });
    }
    case 'refused': {
      const { code, message, details } = verdict.refusal;
      const body = { executionId, requestId: id, status: 'refused', error: { code, message, ...(details === undefined ? {} : { details }) } } as const;
      return outgoing('results', { id: `${executionId}/refused`, source: SOURCE, type: 'ai.weft.result.refused.v1', subject: id, time, key: executionId, context, body });
    }
    default:
      return assertNever(verdict, 'verdict');
  }
}
