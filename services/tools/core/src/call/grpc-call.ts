// The standard's `call: grpc`. Source: Open Workflow Specification 1.0.3, dsl-reference.md#grpc-call.
import type { Json, JsonObject } from '@weft/kernel';
import { reading, type Reading, type ResourceReference } from './fields.js';

export interface GrpcCall {
  readonly proto: ResourceReference;
  /** Name of the service, with its package or, where there is one of this name only, without. */
  readonly service: string;
  /** `host` or `host:port`. */
  readonly target: string;
  readonly authentication?: Json;
  readonly method: string;
  /** The message in its JSON form. */
  readonly message: JsonObject;
}

export function readGrpcCall(args: Json): Reading<GrpcCall> {
  return reading('a gRPC call', args, (fields) => {
    const service = fields.fields('service');
    const port = service.integer('port', 0, 65_535);
    const authentication = service.get('authentication');
    return {
      proto: fields.resource('proto'),
      service: service.text('name'),
      target: `${service.text('host')}${port === undefined ? '' : `:${port}`}`,
      ...(authentication === undefined ? {} : { authentication }),
      method: fields.text('method'),
      message: fields.record('arguments'),
    };
  });
}
