Feature: Rule 21: a task name after `then` is one of the same list
  It is found by name, and publish refuses one that is not there. Jumps back are taken one by one, without recursion, and count: an execution enters
  at most 100,000 tasks and passes of loops.

  Scenario: a jump back begins a new round
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-21
      version: '1.0.0'
    do:
      - count: { set: { n: '${ .n + 1 }' } }
      - again: { switch: [ { more: { when: .n < 5, then: count } }, { enough: { then: end } } ] }
    """
    And given the workflow input is:
    """yaml
    n: 0
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    n: 5
    """
    And count should run 5 times

  Scenario: the name of a task of another list is refused
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-21
      version: '1.0.0'
    do:
      - outer: { do: [ { inner: { set: { n: 1 }, then: other } } ] }
      - other: { set: { n: 2 } }
    """
    When the definition is published
    Then the definition should be refused with:
    """
    or a task of the same list
    """

  Scenario: a jump back for ever is ended
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-21
      version: '1.0.0'
    do:
      - turn: { set: { n: 1 }, then: turn }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/runtime
    """
