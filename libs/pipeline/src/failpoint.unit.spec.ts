import { afterEach, describe, expect, it } from 'vitest';
import { armFailpoint, disarmFailpoints, failpoint, FAILPOINTS, readCrash, type Crash } from './failpoint.js';

afterEach(disarmFailpoints);

describe('failpoint', () => {
  it('does nothing until it is armed', () => {
    failpoint('orchestration.commit', 'before');
  });

  it('dies at the named side the n-th time, and once', () => {
    const deaths: Crash[] = [];
    const crash = { name: 'orchestration.commit', side: 'after', nth: 2 } as const;
    armFailpoint(crash, (died) => void deaths.push(died));
    failpoint('orchestration.commit', 'before');
    failpoint('orchestration.commit', 'after');
    failpoint('routing.store-requests', 'after');
    expect(deaths).toEqual([]);
    failpoint('orchestration.commit', 'after');
    failpoint('orchestration.commit', 'after');
    expect(deaths).toEqual([crash]);
  });
});

describe('readCrash', () => {
  it('reads a name and a side, and the time that counts', () => {
    expect(readCrash('tools.send-effect:after')).toEqual({ ok: true, crash: { name: 'tools.send-effect', side: 'after', nth: 1 } });
    expect(readCrash('audit.append:before:3')).toEqual({ ok: true, crash: { name: 'audit.append', side: 'before', nth: 3 } });
  });

  it('refuses everything else and names what there is', () => {
    for (const text of ['', 'audit.append', 'audit.append:during', 'audit.append:before:0', 'audit.apend:before', 'audit.append:before:1:2']) {
      const reading = readCrash(text);
      expect(reading.ok ? undefined : reading.rejection.message).toContain(`but got ${JSON.stringify(text)}. Names are: ${FAILPOINTS.join(', ')}`);
    }
  });
});
