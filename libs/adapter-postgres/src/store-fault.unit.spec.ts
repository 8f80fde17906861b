import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { faultOf, isRefusedByServer, stateOf } from './store-fault.js';

function answered(code: string, severity = 'ERROR'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('no', 2, 'error'), { code, severity });
}

describe('faultOf', () => {
  it.each(['08006', '57P01', '57P03', '57014', '53100', '53300', '40001', '40P01', '55P03', '25006', '58030'])('%s is worth another try', (code) =>
    expect(faultOf(answered(code)).retryable).toBe(true),
  );
  it.each(['22021', '23505', '42501', '42P01', '54000', 'XX000'])('%s is not', (code) => expect(faultOf(answered(code)).retryable).toBe(false));

  it('takes a server that was not reached as worth another try', () => {
    expect(faultOf(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toMatchObject({ retryable: true });
    expect(faultOf(new Error('Connection terminated unexpectedly'))).toMatchObject({ retryable: true });
  });

  it('takes a wrong call as a wrong call', () => expect(faultOf(new TypeError('circular structure')).retryable).toBe(false));
});

describe('stateOf', () => {
  it('does not mistake an error of the operating system for a SQLSTATE', () => expect(stateOf(Object.assign(new Error(), { code: 'EPIPE' }))).toBeUndefined());
});

describe('isRefusedByServer', () => {
  it('trusts an ERROR, and neither a FATAL nor a broken connection', () => {
    expect(isRefusedByServer(answered('23505'))).toBe(true);
    expect(isRefusedByServer(answered('57P01', 'FATAL'))).toBe(false);
    expect(isRefusedByServer(answered('25P03', 'FATAL'))).toBe(false);
    expect(isRefusedByServer(new Error('Connection terminated'))).toBe(false);
  });
});
