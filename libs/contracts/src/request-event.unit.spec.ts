import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forbidden, readHttpRequest, readKafkaRequest, readStructured, REQUEST_LIMITS, type RequestReading } from './request-event.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const ATTRIBUTES = { specversion: '1.0', id: 'r-1', source: '/shop', type: 'com.example.complaint.v1' };
type Attributes = Partial<Record<string, unknown>>;

const structured = (more: Attributes = {}, contentType = 'application/cloudevents+json'): RequestReading =>
  readKafkaRequest({ 'content-type': contentType }, bytes(JSON.stringify({ ...ATTRIBUTES, data: { text: 'late' }, ...more })));
const binary = (more: Readonly<Record<string, string | undefined>> = {}, data: string | Uint8Array = '{"text":"late"}', contentType = 'application/json'): RequestReading => {
  const headers = Object.fromEntries(Object.entries({ ...ATTRIBUTES, ...more }).flatMap(([name, text]) => (text === undefined ? [] : [[`ce_${name}`, text]])));
  return readKafkaRequest({ ...headers, 'content-type': contentType }, typeof data === 'string' ? bytes(data) : data);
};
const http = (headers: Readonly<Record<string, string>>, data = '{"text":"late"}'): RequestReading => readHttpRequest((name) => headers[name], bytes(data));
const reason = (reading: RequestReading): string => (reading.ok ? 'accepted' : `${reading.rejection.code}: ${reading.rejection.message}`);
const nested = (levels: number, inner = '1'): string => '['.repeat(levels) + inner + ']'.repeat(levels);

const ACCEPTED = { ok: true, event: { id: 'r-1', source: '/shop', type: 'com.example.complaint.v1', subject: '', data: { text: 'late' }, tenantNamed: '' } };

describe('a request event', () => {
  it('reads the same in both modes and over both transports', () => {
    expect(structured()).toMatchObject(ACCEPTED);
    expect(binary()).toEqual(structured());
    expect(http({ 'ce-specversion': '1.0', 'ce-id': 'r-1', 'ce-source': '/shop', 'ce-type': 'com.example.complaint.v1', 'content-type': 'application/json' })).toEqual(structured());
    expect(http({ 'content-type': 'application/cloudevents+json' }, JSON.stringify({ ...ATTRIBUTES, data: { text: 'late' } }))).toEqual(structured());
    expect(readStructured(bytes(JSON.stringify({ ...ATTRIBUTES, data: { text: 'late' } })))).toEqual(structured());
  });

  it.each(['application/cloudevents+json; charset=UTF-8', 'Application/CloudEvents+JSON'])('is structured when its content type is %s', (contentType) => {
    expect(structured({}, contentType)).toMatchObject(ACCEPTED);
  });

  it('takes header names in any case, and structured mode before binary headers', () => {
    expect(readKafkaRequest({ CE_ID: 'r-1', Ce_Source: '/shop', ce_type: 'com.example.complaint.v1', ce_specversion: '1.0' }, bytes('{"text":"late"}'))).toMatchObject(ACCEPTED);
    expect(readKafkaRequest({ ce_id: 'other', 'content-type': 'application/cloudevents+json' }, bytes(JSON.stringify({ ...ATTRIBUTES, data: 1 })))).toMatchObject({
      ok: true,
      event: { id: 'r-1', data: 1 },
    });
  });

  it('may have no data', () => {
    expect(binary({}, '')).toMatchObject({ ok: true, event: { data: null } });
    expect(structured({ data: undefined })).toMatchObject({ ok: true, event: { data: null } });
  });

  it('carries its context in extensions', () => {
    expect(binary({ wefttenant: 'acme', weftactor: 'M%C3%BCller', weftbudget: '1 2 3', wefttaint: 'mail web' })).toMatchObject({
      ok: true,
      event: { tenantNamed: 'acme', context: { tenant: 'acme', actor: 'Müller', budget: { moneyMicros: 1, tokens: 2, calls: 3 }, taint: ['mail', 'web'] } },
    });
    expect(structured({ weftdeadline: 17, wefttenant: 'acme' })).toMatchObject({ ok: true, event: { tenantNamed: 'acme', context: { deadlineMs: 17 } } });
  });

  it('never throws, whatever the bytes', () => {
    const headers = fc.dictionary(
      fc.constantFrom('content-type', 'ce_id', 'ce_source', 'ce_type', 'ce_specversion', 'ce_weftbudget', 'ce_wefttenant'),
      fc.oneof(fc.string(), fc.constantFrom('1.0', 'application/json', 'application/cloudevents+json')),
    );
    fc.assert(
      fc.property(headers, fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (given, value) => {
        const reading = readKafkaRequest(given, value);
        if (!reading.ok) expect(reading.rejection.message).toMatch(/^Expected .+\.$/s);
      }),
    );
  });
});

describe('a request event is refused with what was expected and where', () => {
  it.each(['specversion', 'id', 'source', 'type'])('without %s', (name) => {
    const expected = `request-invalid: Expected a CloudEvent 1.0 with id, source, type and specversion, but attribute \`${name}\` is missing.`;
    expect(reason(structured({ [name]: undefined }))).toBe(expected);
    expect(reason(binary({ [name]: undefined }))).toBe(expected);
    expect(reason(structured({ [name]: '' }))).toBe(expected);
    expect(reason(structured({ [name]: { nested: true } }))).toBe(expected);
  });

  it('with all that is wrong at once', () => {
    expect(reason(structured({ id: undefined, type: '', data: { a: 'x\u0000' } }))).toMatch(/`id` is missing; attribute `type` is missing; the text at data\/a contains a NUL character/);
  });

  it.each([
    ['an older version', structured({ specversion: '0.3' }), /`specversion` is "0.3", not "1.0"/],
    ['a control character in an attribute', structured({ id: 'a\nb' }), /`id` contains a control character/],
    ['NUL in an attribute', structured({ source: 'a\u0000' }), /`source` contains a control character/],
    ['NUL in the subject', structured({ subject: '\u0000' }), /`subject` contains a control character/],
    ['NUL in a context field', binary({ weftpurpose: 'a%00b' }), /context travels in/],
    ['NUL in a taint label', binary({ wefttaint: 'ok a%00b' }), /context travels in/],
    ['an id that is too long', structured({ id: 'x'.repeat(REQUEST_LIMITS.attributeCharactersMax + 1) }), /`id` is longer than 1024 characters/],
    ['a subject that is too long', structured({ subject: 'x'.repeat(REQUEST_LIMITS.attributeCharactersMax + 1) }), /`subject` is longer than 1024 characters/],
    ['NUL in the data', structured({ data: { list: [{ text: 'a\u0000b' }] } }), /the text at data\/list\/0\/text contains a NUL character/],
    ['NUL in a field name', structured({ data: { ok: { 'a\u0000': 1 } } }), /a field name at data\/ok contains a NUL character/],
    ['data that is nested too deep', binary({}, nested(65)), /nested deeper than 64 levels at \/0\/0/],
    ['data that is nested too deep and empty', binary({}, nested(65, '')), /nested deeper than 64 levels/],
    ['data that is nested absurdly deep', binary({}, nested(100_000)), /nested deeper than 64 levels/],
    ['data in base64', structured({ data: undefined, data_base64: 'aGk=' }), /carries `data_base64`/],
    ['data of another type', binary({}, 'late', 'text/plain'), /content type application\/json but got "text\/plain"/],
    ['data that is no JSON', binary({}, '{"text":'), /Expected the data to be JSON in UTF-8 but it is not/],
    ['data that is no UTF-8', binary({}, Uint8Array.from([0x22, 0xff, 0x22])), /Expected the data to be JSON in UTF-8 but it is not/],
    ['an event that is no JSON', readStructured(bytes('garbage')), /Expected the event to be JSON/],
    ['an event that is a list', readStructured(bytes('[]')), /Expected the event to be a JSON object/],
    ['an event that is null', readStructured(bytes('null')), /Expected the event to be a JSON object/],
    ['an empty event', readStructured(new Uint8Array()), /Expected the event to be JSON/],
    ['attributes of a prototype', readStructured(bytes('{"__proto__":{"id":"x","source":"x","type":"x","specversion":"1.0"}}')), /`id` is missing/],
    ['neither mode, over Kafka', readKafkaRequest({}, bytes('{"id":"r-1"}')), /neither\.$/],
    ['neither mode, over HTTP', http({ 'content-type': 'application/json' }), /neither\.$/],
    ['a batch', readKafkaRequest({ 'content-type': 'application/cloudevents-batch+json' }, bytes('[]')), /neither\.$/],
  ])('for %s', (_what, reading, expected) => {
    expect(reason(reading)).toMatch(expected);
    expect(reason(reading)).toMatch(/^request-invalid: /);
  });

  it('when it is larger than 1 MiB, before anything is parsed', () => {
    const text = (length: number): string => `"${'x'.repeat(length - 2)}"`;
    expect(binary({}, text(REQUEST_LIMITS.bytesMax)).ok).toBe(true);
    expect(reason(binary({}, text(REQUEST_LIMITS.bytesMax + 1)))).toBe('request-too-large: Expected at most 1048576 bytes but the data has 1048577.');
    expect(reason(readStructured(new Uint8Array(REQUEST_LIMITS.bytesMax + 1)))).toBe('request-too-large: Expected at most 1048576 bytes but the event has 1048577.');
  });
});

describe('forbidden', () => {
  it('counts the arrays and objects around a value', () => {
    for (const inner of ['1', '"x"', 'null', '']) {
      expect(forbidden(JSON.parse(nested(64, inner)), '', 0)).toBeUndefined();
      expect(forbidden(JSON.parse(nested(65, inner)), '', 0)).toMatch(/nested deeper than 64 levels/);
    }
    expect(forbidden({}, '/a', 64)).toMatch(/nested deeper/);
    expect(forbidden('text', '/a', 64)).toBeUndefined();
  });
});
