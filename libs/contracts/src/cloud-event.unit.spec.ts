import { describe, expect, it } from 'vitest';
import { fromRecord, toRecord } from './cloud-event.js';
import { contextOf } from './context.js';
import type { Envelope, RawMessage } from './envelope.js';
import { Command, Job } from './generated/weft/v1/jobs.js';
import { TOPICS, type BodyCodec, type BodyOf, type TopicKey } from './topics.js';

const EXECUTION = '01890000-0000-7000-8000-000000000001';
const context = contextOf({
  tenant: 'acme',
  actor: 'key:Müller',
  purpose: 'com.example.complaint.v1',
  executionId: EXECUTION,
  jobId: `${EXECUTION}/do/0/a`,
  attempt: 2,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'a=1, b=2',
  deadlineMs: 1_800_000_000_000,
  budget: { moneyMicros: 1, tokens: 2, calls: 3 },
  taint: ['request:/shop', ''],
});

const BODIES: { readonly [K in TopicKey]: BodyOf<K> } = {
  requests: { text: 'späte 🧵' },
  commands: Command.fromPartial({ id: 'm-1', executionId: EXECUTION, context, completeJob: { jobId: `${EXECUTION}/do/0/a`, generation: 1, outputJson: '{"ünï":"🧵"}', taint: ['web'] } }),
  jobs: Job.fromPartial({
    id: `${EXECUTION}/do/0/a`,
    executionId: EXECUTION,
    context,
    kind: 'infer',
    generation: 3,
    idempotencyKey: 'k',
    pointer: '/do/0/a',
    inputJson: '{}',
    models: [{ id: 'small', endpoint: 'http://m', model: 'm' }],
    settlement: { happened: true, outputJson: '1', decidedBy: 'user:eva' },
    workflow: 'a/b:1',
  }),
  lifecycle: { executionId: EXECUTION, requestId: 'r-1', workflow: 'a/b:1', data: [null, 1] },
  results: { executionId: EXECUTION, requestId: 'r-1', status: 'faulted', error: { status: 500 } },
  audit: { size: 7, note: 'weft\n7\nroot\n' },
};

const envelopeOf = <K extends TopicKey>(key: K): Envelope<BodyOf<K>> => ({
  id: `${key}-1`,
  source: '/weft/spec',
  type: `ai.weft.${key}.v1`,
  subject: 'r-1',
  time: 1_700_000_000_123,
  key: EXECUTION,
  context,
  body: BODIES[key],
});
const record = (key: TopicKey, envelope: Envelope = envelopeOf(key)): RawMessage => ({
  topic: TOPICS[key].name,
  partition: 0,
  offset: '5',
  key: envelope.key,
  ...toRecord(envelope, TOPICS[key].codec as BodyCodec<unknown>),
});

describe('an envelope as a record', () => {
  it.each(Object.keys(TOPICS).filter((key) => key !== 'requests') as TopicKey[])('comes back as it was from weft.%s', (key) => {
    const raw = record(key);
    expect(fromRecord(key, raw)).toEqual({ ok: true, envelope: envelopeOf(key), raw });
  });

  it('comes back from weft.requests with all that identifies a request', () => {
    const { time: _time, ...identity } = envelopeOf('requests');
    expect(fromRecord('requests', record('requests'))).toMatchObject({ ok: true, envelope: identity });
  });

  it('is a CloudEvent in binary mode, with trace headers where other tools look for them', () => {
    expect(record('results').headers).toMatchObject({
      ce_specversion: '1.0',
      ce_id: 'results-1',
      ce_source: '/weft/spec',
      ce_type: 'ai.weft.results.v1',
      ce_subject: 'r-1',
      ce_time: '2023-11-14T22:13:20.123Z',
      ce_partitionkey: EXECUTION,
      'content-type': 'application/json',
      traceparent: context.traceparent,
      tracestate: context.tracestate,
    });
  });

  it('needs neither subject nor time, and takes a time that cannot be read for none', () => {
    const { subject: _subject, time: _time, ...bare } = envelopeOf('lifecycle');
    const raw = record('lifecycle', bare);
    expect(fromRecord('lifecycle', raw)).toEqual({ ok: true, envelope: bare, raw });
    expect(fromRecord('lifecycle', { ...raw, headers: { ...raw.headers, ce_time: 'tomorrow' } })).toMatchObject({ ok: true, envelope: bare });
  });

  it('takes the trace of plain W3C headers when the event names none', () => {
    const raw = record('requests', { ...envelopeOf('requests'), context: contextOf({ tenant: '' }) });
    expect(fromRecord('requests', { ...raw, headers: { ...raw.headers, traceparent: context.traceparent } })).toMatchObject({ ok: true, envelope: { context: { traceparent: context.traceparent } } });
  });
});

describe('a record that cannot be read', () => {
  it.each(['ce_id', 'ce_source', 'ce_type'])('comes back with its reason: no %s', (header) => {
    const raw = record('lifecycle');
    expect(fromRecord('lifecycle', { ...raw, headers: { ...raw.headers, [header]: '' } })).toMatchObject({
      ok: false,
      rejection: { code: 'message-invalid', message: expect.stringContaining('binary mode on weft.lifecycle') },
    });
  });

  it.each(['commands', 'jobs', 'lifecycle', 'results', 'audit'] as const)('comes back with its reason: garbage on weft.%s', (key) => {
    const raw = { ...record(key), value: Uint8Array.from([0x0a, 0xff, 0xff, 0xff]) };
    expect(fromRecord(key, raw)).toMatchObject({ ok: false, raw, rejection: { code: 'message-invalid', message: expect.stringMatching(/^Expected a application\/(json|protobuf) body on weft\./) } });
  });

  it('comes back with its reason: garbage on weft.requests', () => {
    expect(fromRecord('requests', { ...record('requests'), headers: {}, value: Buffer.from('garbage') })).toMatchObject({ ok: false, rejection: { code: 'request-invalid' } });
  });
});
