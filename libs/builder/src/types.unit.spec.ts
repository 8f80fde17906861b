import { describe, expect, expectTypeOf, it } from 'vitest';
import { add, BuilderError, cases, eq, forEach, handles, http, infer, sequence, set, text, validate, wait, workflow, type Expression, type Ref, type Task } from './index.js';

type OutputOf<T> = T extends Task<infer Output, string, unknown> ? Output : never;
const { input } = handles<{ id: string; lines: { price: number }[] }>();

describe('the types of a workflow', () => {
  it('carry what one task gives to the next', () => {
    const built = workflow<{ a: number }>('flow')
      .task('double', ({ input: given }) => set({ twice: add(given.a, given.a), label: 'x' }))
      .task('shown', ({ input: given }) => {
        expectTypeOf(given.twice).toExtend<Expression<number>>();
        expectTypeOf(given.label).toExtend<Expression<string>>();
        // @ts-expect-error the task before gives no such field
        void given.absent;
        return http<{ name: string }>({ method: 'get', endpoint: text`https://x.example/${given.twice}` }, { export: { as: { kept: given.label } } });
      })
      .task('read', ({ input: given, context }) => {
        expectTypeOf(given.name).toExtend<Expression<string>>();
        expectTypeOf(context.kept).toExtend<Expression<string>>();
        return set({ name: given.name, kept: context.kept });
      });
    expect(built.toDocument()['do']).toEqual([
      { double: { set: { twice: '${ .a + .a }', label: 'x' } } },
      { shown: { call: 'http', with: { method: 'get', endpoint: '${ "https://x.example/\\(.twice)" }' }, export: { as: { kept: '${ $input.label }' } } } },
      { read: { set: { name: '${ .name }', kept: '${ $context.kept }' } } },
    ]);
  });

  it('know what tasks give: a value set, an answer told, what `output.as` makes of it', () => {
    expectTypeOf<OutputOf<ReturnType<typeof makeSet>>>().toEqualTypeOf<{ id: string; n: number }>();
    function makeSet() {
      return set({ id: input.id, n: 1 });
    }
    const judged = validate({ value: input, schema: true });
    expectTypeOf<OutputOf<typeof judged>>().toHaveProperty('verdict');
    const shaped = infer({ prompt: 'x' }, { output: { as: { only: input.id } } });
    expectTypeOf<OutputOf<typeof shaped>>().toEqualTypeOf<{ only: string }>();
    expect(makeSet().definition).toEqual({ set: { id: '${ .id }', n: 1 } });
  });

  it('know the items of a loop', () => {
    const loop = forEach({ each: 'line', in: input.lines, while: ({ index }) => eq(index, 0) }, ({ item }) => {
      expectTypeOf(item).toEqualTypeOf<Ref<{ price: number }>>();
      return { add: set({ price: item.price }) };
    });
    expect(loop.definition).toEqual({ for: { each: 'line', in: '.lines' }, while: '$index == 0', do: [{ add: { set: { price: '${ $line.price }' } } }] });
  });

  it('refuse a `then` that names no task of its list, and say so when types are blind', () => {
    // @ts-expect-error there is no task `c`
    expect(() => sequence({ a: set({ x: 1 }, { then: 'c' }), b: wait('PT1S') })).toThrow(
      new BuilderError('Expected `then` of `a` to be `continue`, `exit`, `end`, `a`, `b` but found `c`, which is no task of the same list.'),
    );
    const choose = cases({ one: { when: '.a', then: 'z' } });
    // @ts-expect-error neither is `z`
    expect(() => workflow('w').do({ choose }).toDocument()).toThrow(BuilderError);
    const blind: string = 'c';
    expect(() => sequence({ a: set({ x: 1 }, { then: blind }) })).toThrow(BuilderError);
    expect(sequence({ a: set({ x: 1 }, { then: 'b' }), b: wait('PT1S') }).definition['do']).toHaveLength(2);
  });

  it('refuse a second case without `when`', () => {
    // @ts-expect-error `first` always holds, so `second` is never reached
    expect(() => cases({ first: { then: 'end' }, second: { then: 'exit' } })).toThrow(
      new BuilderError('Expected at most one case without `when` but found `first` and `second`: the first of them always holds.'),
    );
    expect(cases({ some: { when: eq(input.id, 'x'), then: 'end' }, other: { then: 'exit' } }).definition).toEqual({
      switch: [{ some: { when: '.id == "x"', then: 'end' } }, { other: { then: 'exit' } }],
    });
  });

  it('refuse arguments that a call does not have', () => {
    // @ts-expect-error a `prompt` or `messages`, not both
    infer({ prompt: 'x', messages: [] });
    // @ts-expect-error the endpoint is missing
    http({ method: 'get' });
  });
});

describe('lists of tasks', () => {
  it('refuse what JavaScript or the standard cannot keep', () => {
    expect(() => sequence({ 10: wait('PT1S') })).toThrow(/^Expected pairs \[name, task\] for do, as JavaScript moves the name 10/);
    expect(() =>
      sequence([
        ['a', wait('PT1S')],
        ['a', wait('PT2S')],
      ]),
    ).toThrow(/names that differ in do but `a` stands there more than once/);
    // As the standard does; lint warns of it.
    expect(sequence({ exit: wait('PT1S') }).definition).toEqual({ do: [{ exit: { wait: 'PT1S' } }] });
    expect(() => workflow('w').toDocument()).toThrow(/at least one task in the workflow `w`/);
    expect(() => set({ a: Number.NaN }).definition).toThrow(/Expected JSON or an expression at set.a but found NaN/);
  });
});
