/** Which adapters a Weft is composed of: one process, or one a service over Kafka, PostgreSQL and Redis. */
export const PROFILES = ['standalone', 'mesh'] as const;
export type Profile = (typeof PROFILES)[number];
