import type { Instant } from '@weft/kernel';

/** The lowest UUID whose first 48 bits are an instant: ids made from then on are not below it. Source: RFC 9562, version 7. */
export function firstIdOf(instant: Instant): string {
  const time = Math.floor(instant).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
