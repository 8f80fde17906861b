// One process of memory or validation: it carries out a job once, however often it is asked to.
import { isJsonObject, uuidv7, type Json } from '@weft/kernel';
import { readRecall, readRemember, stampTrust } from '@weft/memory/core';
import { judge, verdictJson } from '@weft/validation/core';
import { completed, failed, type Job, type Sent } from './job.js';
import type { Process } from './process.js';
import type { World } from './world.js';

export class KeeperReplica {
  constructor(
    private readonly world: World,
    readonly process: Process,
  ) {}

  /** Carries out one job. Undefined: nothing to report, it is dispatched again. */
  async carry(job: Job): Promise<Sent | undefined> {
    const { chaos, kept, random } = this.world;
    const service = job.kind === 'validate' ? 'validation' : 'memory';
    const answer = answerOf(job);
    if (!answer.ok) return failed(job, answer.rejection, 'none');
    if (!answer.isKept) return completed(job, answer.output);
    const commitId = uuidv7(this.process.now(), random.bytes(10));
    const at = this.process.now();
    const isRefused = await this.process.ask(`keep in ${service}`, () => {
      if (chaos.strikes('commit-refused')) return true;
      kept.keep(service, commitId, at, job.key, answer.output);
      if (chaos.strikes('crash-after-commit')) this.process.crash();
      return false;
    });
    return isRefused ? undefined : completed(job, answer.output);
  }
}

type Answer = { readonly ok: true; readonly output: Json; readonly isKept: boolean } | { readonly ok: false; readonly rejection: Parameters<typeof failed>[1] };

function answerOf(job: Job): Answer {
  switch (job.kind) {
    case 'remember': {
      const reading = readRemember(job.input);
      return reading.ok ? { ok: true, isKept: true, output: { id: job.key, trust: stampTrust([], job.execution) } } : reading;
    }
    case 'recall': {
      const reading = readRecall(job.input);
      return reading.ok ? { ok: true, isKept: false, output: { items: [] } } : reading;
    }
    default: {
      const value = isJsonObject(job.input) ? job.input['value'] : undefined;
      const findings = isJsonObject(value) ? [] : [{ pointer: '', keyword: 'type', message: 'is no object' }];
      return { ok: true, isKept: true, output: verdictJson(judge(findings, 'schema', '')) };
    }
  }
}
