import { describe, expect, it } from 'vitest';
import { readableLogLine } from '../output/log-lines.js';
import { saying } from './child-log.js';

const line = (fields: object): string => JSON.stringify({ time: '2026-11-21T10:00:00.123Z', level: 'info', service: 'standalone', message: 'ready', ...fields });

describe('saying', () => {
  it('gives the fatal line with its cause rather than what came after it', () => {
    expect(saying([line({}), line({ level: 'fatal', message: 'the start failed', error: { message: 'port 7420 is taken' } }), line({ message: 'closing' })])).toBe(
      'the start failed: port 7420 is taken',
    );
  });

  it('gives the last lines as they are when none is a log line', () => {
    expect(saying(['Segmentation fault'])).toBe('Segmentation fault');
  });
});

describe('readableLogLine', () => {
  const plain = (text: string): string => readableLogLine(text).replace(/\u001b\[[0-9;]*m/g, '');

  it('shows time, level, service, message and what else identifies the subject', () => {
    expect(plain(line({ url: 'http://127.0.0.1:7420', tenant: 'default' }))).toBe('10:00:00.123 info  standalone    ready  url=http://127.0.0.1:7420');
  });

  it('leaves other lines as they are', () => {
    expect(plain('{"not":"a log line"}')).toBe('{"not":"a log line"}');
  });
});
