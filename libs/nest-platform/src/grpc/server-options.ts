import { ServerCredentials, type GrpcObject, type ServiceDefinition } from '@grpc/grpc-js';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import { KEEPALIVE, MESSAGE_BYTES_MAX, serviceNameOf } from './definition.js';

/** Keys of one side of a connection that both sides prove (mTLS). PEM. */
export interface TlsKeys {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface GrpcServerOptions {
  /** Where to listen: `host:port`. */
  readonly address: string;
  /** Generated service constants; each needs one controller with `@PeerController`. */
  readonly services: readonly ServiceDefinition[];
  /** Without it the connection is in clear. */
  readonly tls?: TlsKeys | undefined;
}

/** Options of Nest's gRPC transport for generated services. No .proto file is read at run time. */
export function grpcServerOptions({ address, services, tls }: GrpcServerOptions): GrpcOptions {
  // grpc-js accepts the generated constants as they are; Nest types the definition as what proto-loader returns.
  const packageDefinition = Object.fromEntries(services.map((definition) => [serviceNameOf(definition), definition])) as unknown as GrpcObject;
  return {
    transport: Transport.GRPC,
    options: {
      url: address,
      package: [...new Set(services.map((definition) => packageOf(serviceNameOf(definition))))],
      packageDefinition,
      gracefulShutdown: true,
      maxReceiveMessageLength: MESSAGE_BYTES_MAX,
      maxSendMessageLength: MESSAGE_BYTES_MAX,
      channelOptions: { ...KEEPALIVE },
      ...(tls === undefined ? {} : { credentials: ServerCredentials.createSsl(tls.ca, [{ cert_chain: tls.cert, private_key: tls.key }], true) }),
    },
  };
}

const packageOf = (serviceName: string): string => serviceName.slice(0, serviceName.lastIndexOf('.'));
