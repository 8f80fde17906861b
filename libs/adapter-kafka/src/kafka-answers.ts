import { connect } from 'node:net';
import { kafkaClient, type KafkaConnection } from './kafka-client.js';

/** Whether a broker answers and knows itself to be part of a cluster. Never rejects; where nobody listens it answers at once. */
export async function kafkaAnswers(connection: KafkaConnection): Promise<boolean> {
  // The client itself needs seconds to find out that nobody listens.
  const listening = await Promise.all(connection.brokers.map(isListening));
  if (!listening.includes(true)) return false;
  const admin = kafkaClient(connection).admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function isListening(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: 2_000 });
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
