// Calls and runs of the standard: what each kind of job is made of.
import type { Job } from '@weft/contracts';
import type { Failure, Json } from '@weft/kernel';
import type { Target } from '@weft/tools/core';
import type { WorkMaking } from '../carry-out/work.js';
import type { JobSecrets } from './job-secrets.js';
import type { Sender } from '../egress/egress-policy.js';

/** A job made ready: what permission judges, and what is sent. */
export interface CallMaking {
  readonly on: Target;
  readonly made: WorkMaking;
}

/** Makes a job of one kind ready; its secrets are filled in, and what it sends and tells is cleaned of them by whoever calls. It may have to read a document first; nothing is sent to whom the job is for. */
export type CallMaker = (job: Job, args: Json, kept: JobSecrets) => CallMaking | Promise<CallMaking>;

/** What makes each kind of job. */
export type CallMakers = ReadonlyMap<string, CallMaker>;

/** Who sends a call of the standard, for egress: it may go where the operator's list says, and nowhere besides. @param name such as `call:http`. */
export const callSender = (name: string, { workflow }: Pick<Job, 'workflow'>): Sender => ({
  name: `${name.replace(':', ': ')} of workflow ${workflow}`,
  origins: [],
  mayGoAnywherePublic: false,
});

export const notMakeable = (on: Target, failure: Failure): CallMaking => ({ on, made: { ok: false, failure } });

/** A maker whose protocol is loaded when the first job needs it: most deployments use few of them. */
export function lazily(load: () => Promise<CallMaker>): CallMaker {
  let maker: Promise<CallMaker> | undefined;
  return async (job, args, kept) => (await (maker ??= load()))(job, args, kept);
}
