import { describe, expect, it } from 'vitest';
import { readFeature } from './feature-file.js';
import { objectionsTo, runOf } from './ows-steps.js';

const FEATURE = `Feature: Set
  What it is for.

  # a comment
  Scenario: Sets
    Given a workflow with definition:
      """yaml
      document:
        name: x
      """
    And given the workflow input is:
      """yaml
      a: 1
      """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    b: 2
    """
    And first should run first
    And second should run after first
    And the workflow output should have properties 'b', 'c.d'
    And the moon should be full
`;

const [scenario] = readFeature(FEATURE);
const execution = { executionId: 'x', status: 'completed', output: { b: 2, c: { d: null } } } as never;

describe('a feature file', () => {
  it('gives scenarios with their steps, and texts without their indentation', () => {
    expect(scenario).toMatchObject({ feature: 'Set', name: 'Sets', line: 5 });
    expect(runOf(scenario!)).toEqual({ deeds: [], others: [], definition: 'document:\n  name: x', input: { a: 1 } });
  });

  it('refuses a line that is no step, with its number', () => {
    expect(() => readFeature(`${FEATURE}    Maybe something else\n`)).toThrow('line 24');
  });
});

describe('the sentences of the suite', () => {
  it('judge output, properties and the order of tasks, and object to a sentence that nobody knows', () => {
    expect(objectionsTo(scenario!, { execution, runs: {}, tasks: ['first', 'second'] })).toEqual([
      `line 16: expected the output to be {"b":2} but got {"b":2,"c":{"d":null}}`,
      'line 23: no such sentence is known: "the moon should be full"',
    ]);
  });

  it('tell which task ran instead', () => {
    expect(objectionsTo(scenario!, { execution, runs: {}, tasks: ['second', 'first'] })).toEqual(
      expect.arrayContaining(['line 20: expected first to run first but ran second, first', 'line 21: expected second after first but ran second, first']),
    );
  });
});
