// The ways in which a receiver writes a text when it sends it back.
import { encodeUnreserved } from '@weft/workflow';

/** The text itself and its forms: in JSON, in HTML, in a URL or a form, and in base64, alone or as a part of something longer. */
export function spellingsOf(text: string): ReadonlySet<string> {
  const wellFormed = text.toWellFormed();
  const encoded = [encodeURIComponent(wellFormed), encodeUnreserved(wellFormed), new URLSearchParams({ '': wellFormed }).toString().slice(1)];
  return new Set([
    text,
    JSON.stringify(text).slice(1, -1),
    inHtml(text),
    ...encoded,
    ...encoded.map((form) => form.replaceAll(/%[0-9A-F]{2}/g, (part) => part.toLowerCase())),
    ...inBase64(Buffer.from(text)),
    Buffer.from(text).toString('hex'),
  ]);
}

const MARKS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const inHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (mark) => MARKS[mark] ?? mark);

/** Alone; and the characters that its bytes alone decide when 0, 1 or 2 other bytes of a group of three come before them. */
function inBase64(bytes: Buffer): readonly string[] {
  const inside = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  return [bytes.toString('base64'), ...inside].flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}
