/** A point in time in milliseconds since the Unix epoch (integer). Always data: cores never read a clock. */
export type Instant = number;

/** An instant as RFC 3339 text in UTC with milliseconds. */
export function instantText(instant: Instant): string {
  return new Date(instant).toISOString();
}
