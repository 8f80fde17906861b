import type { KafkaMessage } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { recordReader } from './kafka-record.js';

const message = (given: Partial<KafkaMessage>): KafkaMessage => ({ key: null, value: null, timestamp: '0', attributes: 0, offset: '7', headers: {}, ...given }) as KafkaMessage;

describe('recordReader', () => {
  it('gives the message as it lay when it cannot be read', () => {
    const delivery = recordReader('weft.requests')(3, message({ key: Buffer.from('k'), value: Buffer.from('{'), headers: { 'x-a': [Buffer.from('1'), Buffer.from('2')] } }));
    expect(delivery).toMatchObject({ ok: false, rejection: { code: expect.any(String) }, raw: { topic: 'weft.requests', partition: 3, offset: '7', key: 'k', headers: { 'x-a': '1' } } });
  });

  it('reads a message without key, value and headers as empty ones', () => {
    expect(recordReader('weft.commands')(0, message({ headers: undefined as never }))).toMatchObject({ ok: false, raw: { key: '', headers: {}, value: new Uint8Array(0) } });
  });

  it('reads dead letters of a binary topic as JSON', () => {
    const headers = { ce_id: Buffer.from('1'), ce_source: Buffer.from('/weft/dead-letter'), ce_type: Buffer.from('ai.weft.dead-letter.v1'), ce_wefttenant: Buffer.from('default') };
    const delivery = recordReader('weft.commands.dead')(0, message({ headers, value: Buffer.from('{"topic":"weft.commands"}') }));
    expect(delivery).toMatchObject({ ok: true, envelope: { type: 'ai.weft.dead-letter.v1', body: { topic: 'weft.commands' } } });
  });

  it('refuses a topic that is not registered', () => {
    expect(() => recordReader('weft.unheard')).toThrow(/weft\.unheard/);
  });
});
