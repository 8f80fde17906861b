// What the standard has and this engine does not carry out yet. A line goes when its feature lands.
import type { TaskKind } from './task-kind.js';

export interface NotYet {
  /** The document, every task, or tasks of one kind. */
  readonly where: 'document' | 'task' | TaskKind;
  /** Field from there, by dots; `*` stands for any name or position. */
  readonly what: string;
  /** Only this value of the field. */
  readonly is?: string | RegExp;
}

export const NOT_YET: readonly NotYet[] = [
  // Documents.
  ...['schedule', 'output.schema.resource', 'input.schema.resource'].map((what): NotYet => ({ where: 'document', what })),
  { where: 'document', what: 'evaluate.mode', is: 'loose' },
  ...['catalogs'].map((what): NotYet => ({
    where: 'document',
    what: `use.${what}`,
  })),
  // Tasks of every kind.
  ...['input.schema.resource', 'output.schema.resource', 'export.schema.resource'].map((what): NotYet => ({ where: 'task', what })),
  // Tasks of one kind.
  { where: 'listen', what: 'foreach.output.schema.resource' },
  { where: 'listen', what: 'foreach.export.schema.resource' },
  ...['openapi', 'asyncapi', /:\/\//].map((is): NotYet => ({ where: 'call', what: 'call', is })),
  { where: 'call', what: 'with.service.authentication' },
  { where: 'call', what: 'with.server.authentication' },
  { where: 'call', what: 'with.transport.http.endpoint.authentication' },
  { where: 'run', what: 'run.script.source' },
  ...['container'].map((kind): NotYet => ({ where: 'run', what: `run.${kind}` })),
];
