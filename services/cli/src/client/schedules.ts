// Schedules over the public HTTP interface.
import type { Json } from '@weft/kernel';
import type { GatewayClient } from './gateway-client.js';
import type { DefinitionShape } from './shapes.js';

export interface ScheduleShape {
  readonly workflow: DefinitionShape;
  /** every, cron, after or on. */
  readonly kind: string;
  readonly schedule: Json;
  readonly paused: boolean;
  readonly dueAt: string | null;
  readonly startedAt: string | null;
  readonly executionId?: string;
  readonly changedBy?: string;
  readonly changedAt?: string;
  readonly reason?: string;
}

export interface SchedulesShape {
  readonly schedules: readonly ScheduleShape[];
  /** Of a trigger. */
  readonly executionId?: string;
}

/** @param workflow namespace/name; undefined: all. */
export async function readSchedules(client: GatewayClient, workflow?: string): Promise<readonly ScheduleShape[]> {
  return (await client.call<SchedulesShape>(workflow === undefined ? '/v1/schedules' : pathOf(workflow))).body.schedules;
}

export async function changeSchedule(
  client: GatewayClient,
  workflow: string,
  operation: 'pause' | 'resume' | 'trigger',
  wish: { readonly reason?: string; readonly input?: Json },
): Promise<SchedulesShape> {
  return (await client.call<SchedulesShape>(`${pathOf(workflow)}/${operation}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) })).body;
}

const pathOf = (workflow: string): string => `/v1/schedules/${workflow.split('/').map(encodeURIComponent).join('/')}`;
