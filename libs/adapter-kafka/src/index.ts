export * from './ensure-topics.js';
export * from './foreign-topic.js';
export { kafkaAnswers } from './kafka-answers.js';
export * from './kafka-bus.js';
export type { KafkaConnection, KafkaLog, KafkaLogEntry } from './kafka-client.js';
export { subscriptionGroupId } from './kafka-subscription.js';
