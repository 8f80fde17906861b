import { contextOf } from '@weft/contracts';
import { Refused, rejection } from '@weft/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configureLog, logFor, type LogSettings } from './log.js';
import { NestLog } from './nest-log.js';

const lines: string[] = [];
const record = (settings: LogSettings = {}): void => configureLog({ format: 'json', write: (line) => void lines.push(line), ...settings });
const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>;

beforeEach(() => {
  lines.length = 0;
  record();
});
afterEach(() => configureLog({}));

describe('logFor', () => {
  it('writes one JSON object a line, with the fields of the context', () => {
    const context = contextOf({ tenant: 'acme', executionId: 'e1', jobId: 'j1', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` });
    logFor('tools').info('a line\nof two', { context, count: 3 });
    expect(lines[0]?.indexOf('\n')).toBe(lines[0]!.length - 1);
    expect(last()).toEqual({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      level: 'info',
      service: 'tools',
      message: 'a line\nof two',
      tenant: 'acme',
      execution: 'e1',
      job: 'j1',
      trace: 'a'.repeat(32),
      count: 3,
    });
  });

  it('leaves lines below its level out', () => {
    logFor('tools').debug('nobody asked');
    record({ level: 'debug' });
    logFor('tools').debug('somebody asked');
    expect(lines).toHaveLength(1);
  });

  it('replaces secrets at any depth and keeps counts of tokens', () => {
    logFor('tools').warn('a call to postgres://weft:pw@db/weft', {
      request: { headers: { Authorization: 'Bearer abc', 'x-api-key': 'abc' }, items: [{ clientSecret: 'abc', password: 'abc' }] },
      inputTokens: 12,
      token: 'abc',
      url: 'https://u:abc@host/x',
    });
    expect(lines[0]).not.toContain('abc');
    expect(lines[0]).not.toContain(':pw@');
    expect(last()).toMatchObject({ inputTokens: 12, token: '[redacted]', request: { headers: { Authorization: '[redacted]' } } });
  });

  it('writes an error with its cause, and a refusal without a stack', () => {
    logFor('tools').error('it broke', { error: new TypeError('outer', { cause: new Error('inner') }) });
    expect(last()).toMatchObject({ error: { name: 'TypeError', message: 'outer', stack: expect.any(String), cause: { message: 'inner' } } });
    logFor('tools').info('it was refused', { error: new Refused(rejection('denied', 'Expected a grant but there is none.')) });
    expect(last()['error']).toEqual({ code: 'denied', message: 'Expected a grant but there is none.' });
  });

  it('survives values that JSON cannot hold', () => {
    const loop: Record<string, unknown> = { big: 10n, bytes: new Uint8Array(3) };
    loop['self'] = loop;
    logFor('tools').info('odd', { loop });
    expect(last()).toMatchObject({ loop: { big: '10', bytes: '[3 bytes]' } });
  });

  it('does not let a field pass itself off as the line', () => {
    logFor('tools').info('the truth', { message: 'a lie', level: 'fatal' });
    expect(last()).toMatchObject({ message: 'the truth', level: 'info', message_: 'a lie' });
  });

  it('writes one readable line for people, without colours when told so', () => {
    record({ format: 'text', color: false });
    logFor('tools').info('two\nlines', { context: contextOf({ tenant: 'acme' }), note: 'with space' });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}tools {9}two lines tenant=acme note="with space"\n$/);
  });
});

describe('NestLog', () => {
  it('keeps chatter at debug and passes errors on with their place', () => {
    const nest = new NestLog('tools');
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    expect(lines).toHaveLength(0);
    nest.error(new Error('boom'), 'ExceptionsHandler');
    expect(last()).toMatchObject({ level: 'error', message: 'boom', from: 'ExceptionsHandler', error: { message: 'boom' } });
  });
});
