Feature: Rule 22: tasks are named by JSON Pointers in the form of the conformance suite
  `/do/0/a/try/0/b`, `/do/0/a/catch/do/0/c`, `/do/0/a/fork/branches/0/b`. Which round and which attempt it was is kept apart and never part of the
  pointer.

  Scenario: in a catch
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-22
      version: '1.0.0'
    do:
      - attempt:
          try: [ { fail: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ]
          catch: { do: [ { again: { raise: { error: { type: https://example.com/errors/again, status: 500 } } } } ] }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    instance: /do/0/attempt/catch/do/0/again
    """

  Scenario: in a branch
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-22
      version: '1.0.0'
    do:
      - both: { fork: { branches: [ { a: { set: { n: 1 } } }, { b: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ] } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    instance: /do/0/both/fork/branches/1/b
    """

  Scenario: in the second pass of a loop
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-22
      version: '1.0.0'
    do:
      - each:
          for: { in: '[1, 2]' }
          do: [ { fail: { if: $item == 2, raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ]
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    instance: /do/0/each/do/0/fail
    """
