import { describe, expect, it } from 'vitest';
import { http, saga, set, text, type Ref } from './index.js';

const reserve = http({ method: 'post', endpoint: 'https://stock.example/reservations' });
const release = (done: Ref<{ id: string }>) => http({ method: 'delete', endpoint: text`https://stock.example/reservations/${done.id}` });

describe('saga', () => {
  it('undoes the steps before the one that failed, the last one first, and raises the error again', () => {
    const [first, guarded] = saga({ reserve: { do: reserve, undo: release }, pay: { do: set({ paid: true }), undo: set({ paid: false }) }, ship: { do: set({ shipped: true }) } }, { onCancel: false })
      .definition['do'] as [object, object];
    expect(first).toEqual({ reserve: { ...reserve.definition, export: { as: '$context + {"reserve": .}' } } });
    const undo = { call: 'http', with: { method: 'delete', endpoint: '${ "https://stock.example/reservations/\\($context.reserve.id)" }' } };
    const again = { raise: { error: { type: '${ $error.type }', status: 500, title: '${ $error.title // "" }', detail: '${ $error.detail // "" }' } } };
    const pay = { set: { paid: true }, export: { as: '$context + {"pay": .}' } };
    const ship = { set: { shipped: true }, export: { as: '$context + {"ship": .}' } };
    expect(guarded).toEqual({
      'after-reserve': {
        try: [{ pay }, { 'after-pay': { try: [{ ship }], catch: { do: [{ 'undo-pay': { set: { paid: false } } }, { 'raise-again': again }] } } }],
        catch: { do: [{ 'undo-reserve': undo }, { 'raise-again': again }] },
      },
    });
  });

  it('undoes when the execution is cancelled, too, unless told otherwise', () => {
    const definition = saga({ reserve: { do: reserve, undo: set({ undone: true }) }, ship: { do: set({ shipped: true }) } }).definition['do'] as readonly Record<string, unknown>[];
    expect(definition[1]!['after-reserve']).toMatchObject({
      try: [{ steps: { catch: { do: [{ 'undo-reserve': {} }, { 'raise-again': {} }] } } }],
      catch: { errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled' } }, do: [{ 'undo-reserve': {} }] },
    });
  });

  it('refuses a step that exports something itself, and no steps at all', () => {
    expect(() => saga({ a: { do: set({ a: 1 }, { export: { as: '.' } }) } })).toThrow(/the step `a` to export nothing/);
    expect(() => saga({})).toThrow(/at least one step/);
  });
});
