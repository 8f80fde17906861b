import { isTenantId } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { deadTopicName, topicName, topicOfName, TOPICS, type TopicKey } from './topics.js';

const KEYS = Object.keys(TOPICS) as TopicKey[];

describe('topic names', () => {
  it('bind requests and results to a tenant; the others serve all', () => {
    expect(KEYS.map((key) => topicName(key, 'acme'))).toEqual(['weft.requests.acme', 'weft.commands', 'weft.jobs', 'weft.lifecycle', 'weft.results.acme', 'weft.audit']);
    expect(KEYS.map((key) => topicName(key))).toEqual(KEYS.map((key) => TOPICS[key].name));
  });

  it('lead back to their topic', () => {
    for (const key of KEYS) {
      expect(topicOfName(topicName(key))).toEqual({ ok: true, key });
      expect(topicOfName(topicName(key, 'acme'))).toEqual({ ok: true, key });
    }
  });

  it('never are the name of what was set aside: no tenant is called dead', () => {
    expect(isTenantId('dead')).toBe(false);
    for (const key of KEYS) expect(topicOfName(deadTopicName(topicName(key)))).toMatchObject({ ok: false });
    expect(topicOfName(deadTopicName(topicName('requests', 'acme')))).toMatchObject({ ok: false });
  });

  it.each(['', 'weft', 'weft.request', 'weft.requestsacme', 'weft.requests.', 'weft.requests.A', 'weft.commands.acme', 'orders'])('are not made up: %j', (name) => {
    expect(topicOfName(name)).toMatchObject({ ok: false, rejection: { code: 'unknown-topic', message: expect.stringMatching(/^Expected one of the topics weft\.requests, .*weft\.audit but got /) } });
  });

  it('of internal topics are written by Weft alone; requests come from outside', () => {
    expect(KEYS.filter((key) => TOPICS[key].audience === 'external')).toEqual(['requests']);
  });
});
