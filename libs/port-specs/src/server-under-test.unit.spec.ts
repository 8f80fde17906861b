import { expect, it } from 'vitest';
import { serverUnderTest } from './server-under-test.js';

it('serverUnderTest > takes the address and the requirement from the environment', () => {
  expect(serverUnderTest('kafka', { WEFT_KAFKA: 'h:1', WEFT_REQUIRE: 'redis, kafka' })).toEqual({ name: 'kafka', variable: 'WEFT_KAFKA', address: 'h:1', isRequired: true });
  expect(serverUnderTest('redis', { WEFT_KAFKA: 'h:1', WEFT_REDIS: '' })).toMatchObject({ address: undefined, isRequired: false });
});
