import { Catch, UseFilters, type ExceptionFilter } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import type { Delivery } from '@weft/contracts';
import { throwError, type Observable } from 'rxjs';

/** Marks handlers of the bus, so that no other transport of the application registers them. */
export const BUS_TRANSPORT = Symbol('weft.bus');

/** How a handler takes part in a topic. */
export interface TopicOptions {
  /** Consumers of one group share the messages; each group sees all. */
  readonly group: string;
  /** Where a group without an offset begins. Default `earliest`. */
  readonly from?: 'earliest' | 'latest';
}

// Nest's own filter would replace the fault by a general one; the bus needs it to decide what comes again.
@Catch()
class PassOn implements ExceptionFilter {
  catch(fault: unknown): Observable<never> {
    return throwError(() => fault);
  }
}

/** A method that takes batches of a topic. */
export type BatchMethod = (batch: readonly Delivery[]) => Promise<void>;

/**
 * Method decorator: the method takes whole batches. Offsets move when it resolves; when it rejects, the batch comes again.
 * @param topic a registered topic name; `BusTransport` may expand it to the topics of several tenants.
 */
export function OnTopic(topic: string, options: TopicOptions) {
  return <M extends BatchMethod>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>): void => {
    EventPattern<Record<string, readonly Delivery[]>>(topic, BUS_TRANSPORT, { ...options })(target, key, descriptor as unknown as TypedPropertyDescriptor<BatchMethod>);
    UseFilters(PassOn)(target, key, descriptor);
  };
}
