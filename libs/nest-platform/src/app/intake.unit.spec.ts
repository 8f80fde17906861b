import { describe, expect, it } from 'vitest';
import { Intake } from './intake.js';

describe('Intake', () => {
  it('runs what waits for it when it opens, and what comes later at once', () => {
    const intake = new Intake();
    const ran: string[] = [];
    intake.onOpen(() => ran.push('first'));
    expect(ran).toEqual([]);
    intake.open();
    intake.onOpen(() => ran.push('second'));
    expect(ran).toEqual(['first', 'second']);
  });
});
