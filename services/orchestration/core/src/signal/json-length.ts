import type { Json } from '@weft/kernel';

/** How long a value is as JSON, in characters: what bounds of gathered and kept events are counted in. */
export const jsonLength = (value: Json): number => JSON.stringify(value).length;
