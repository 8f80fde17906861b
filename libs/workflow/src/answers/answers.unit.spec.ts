import { describe, expect, it } from 'vitest';
import { AnswerBook } from './answer-book.js';
import { readAnswers, type Answer } from './read-answers.js';

function answersOf(text: string): readonly Answer[] {
  const reading = readAnswers(text);
  if (!reading.ok) throw new Error(reading.rejections.map(({ message }) => message).join('\n'));
  return reading.answers;
}
const messagesOf = (text: string): readonly string[] => {
  const reading = readAnswers(text);
  return reading.ok ? [] : reading.rejections.map(({ message }) => message);
};
const call = (id: string, pointer = '/do/0/ask', kind = 'http', args = {}) => ({ id, pointer, kind, arguments: args });

describe('answers of a file', () => {
  it('fit by pointer, by name of the task, or by kind, the first of them', () => {
    const book = new AnswerBook(answersOf('answers: [{task: /do/1/ask, output: 1}, {task: ask, call: http, output: 2}, {call: infer, output: 3}]'));
    expect(book.answer(call('a', '/do/1/ask'))).toEqual({ output: 1 });
    expect(book.answer(call('b', '/do/0/ask'))).toEqual({ output: 2 });
    expect(book.answer(call('c', '/do/0/ask', 'infer'))).toEqual({ output: 3 });
    expect(book.answer(call('d', '/do/0/other'))).toBeUndefined();
  });

  it('fit by a part of the arguments', () => {
    const book = new AnswerBook(answersOf('answers: [{call: http, with: {endpoint: https://x.example, query: {a: [1, {b: 2}]}}, output: here}]'));
    const args = { method: 'get', endpoint: 'https://x.example', query: { a: [1, { b: 2, c: 3 }], z: 0 } };
    expect(book.answer(call('a', '/do/0/x', 'http', args))).toEqual({ output: 'here' });
    expect(book.answer(call('b', '/do/0/x', 'http', { ...args, query: { a: [1] } }))).toBeUndefined();
    expect(book.answer(call('c', '/do/0/x', 'http', { ...args, endpoint: 'https://y.example' }))).toBeUndefined();
  });

  it('are given one for each call, the last again and again, and the same to the same call', () => {
    const book = new AnswerBook(answersOf('answers: [{task: ask, outputs: [1, 2]}]'));
    expect(['a', 'a', 'b', 'c', 'b'].map((id) => book.answer(call(id)))).toEqual([{ output: 1 }, { output: 1 }, { output: 2 }, { output: 2 }, { output: 2 }]);
  });

  it('may be errors of the standard, in either spelling', () => {
    expect(answersOf('answers: [{call: http, error: {type: https://serverlessworkflow.io/dsl/errors/types/communication, status: 503}}]')[0]?.answers).toEqual([
      { error: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: 503 } },
    ]);
  });

  it('give what lies elsewhere as text, or as the value that it is', () => {
    const reading = readAnswers('answers: []\nresources:\n  https://x.example/f.yaml: |\n    set: {a: 1}\n  https://x.example/s.json: {type: object}\n');
    expect(reading.ok && [...reading.resources]).toEqual([
      ['https://x.example/f.yaml', 'set: {a: 1}\n'],
      ['https://x.example/s.json', '{"type":"object"}'],
    ]);
  });

  it.each([
    ['answers: {}', 'Expected an object with a list `answers` but found an empty object (line 1, column 1).'],
    ['answers: []\nresource: {}', 'Expected one of `answers`, `resources` at / but found `resource` (line 2, column 1).'],
    ['answers: []\nresources: [x]', 'Expected texts by URI at /resources but found a list (line 2, column 1).'],
    ['answers:\n  - {task: a, outptu: 1}', 'Expected one of `task`, `call`, `with`, `output`, `outputs`, `error` at /answers/0 but found `outptu` (line 2, column 15).'],
    ['answers:\n  - {output: 1}', 'Expected `task` or `call`, which say what is answered, at /answers/0 but found neither (line 2, column 5).'],
    ['answers:\n  - {task: a, output: 1, error: {type: x}}', 'Expected one of `output`, `outputs` and `error` at /answers/0 but found `output`, `error` (line 2, column 5).'],
    ['answers:\n  - {task: a, outputs: []}', 'Expected a list with at least one output at /answers/0/outputs but found an empty list (line 2, column 15).'],
    ['answers:\n  - {task: 1, output: 1}', 'Expected text at /answers/0/task but found the number 1 (line 2, column 6).'],
    ['answers: [{task: a, with: 1, output: 1}]', 'Expected an object at /answers/0/with but found the number 1 (line 1, column 21).'],
    ['answers: [1]', 'Expected an answer { task or call, with?, output, outputs or error } at /answers/0 but found the number 1 (line 1, column 11).'],
    ['answers: [{task: a, error: {type: runtime, status: 1.5, detail: 1}}]', 'Expected a status at /answers/0/error/status but found the number 1.5 (line 1, column 44).'],
    ['answers: [{task: a, error: x}]', 'Expected an error { type, status?, title?, detail? } at /answers/0/error but found "x" (line 1, column 21).'],
    ['answers: [', 'Expected YAML or JSON but found:'],
  ])('refuses %s with its place', (text, message) => {
    expect(messagesOf(text).join('\n')).toContain(message);
  });
});
