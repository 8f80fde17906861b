Feature: Task: `set`
  Gives a value.

  Scenario: expressions at any depth
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-set, version: '1.0.0' }
    do:
      - make: { set: { a: [ { b: "${ .n }" }, text ], c: null } }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    a: [ { b: 1 }, text ]
    c: null
    """

  Scenario: one expression
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-set, version: '1.0.0' }
    do:
      - make: { set: "${ [.n, .n] }" }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 1, 1 ]
    """
