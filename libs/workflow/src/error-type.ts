// Error types of the standard under one name each, however a document writes them.

/** Where the eight standard error types live. */
export const STANDARD_ERROR_BASE = 'https://serverlessworkflow.io/spec/1.0.0/errors/';

export const STANDARD_ERRORS = ['configuration', 'validation', 'expression', 'authentication', 'authorization', 'timeout', 'communication', 'runtime'] as const;

const STANDARD = /^https:\/\/(?:serverlessworkflow\.io|open-?workflow-?specification\.(?:io|org))\/(?:spec\/[\w.]+\/errors|dsl\/errors\/types)\/(\w+)$/;

/** The one canonical form of an error type: both hosts and both paths of the standard types are the same. Others stay as they are. */
export function canonicalErrorType(uri: string): string {
  const name = STANDARD.exec(uri)?.[1];
  return name !== undefined && (STANDARD_ERRORS as readonly string[]).includes(name) ? STANDARD_ERROR_BASE + name : uri;
}
