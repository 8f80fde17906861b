Feature: Task: `switch`
  Takes the first case that holds.

  Scenario: the first case that holds, or the one without a condition
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-switch, version: '1.0.0' }
    do:
      - choose: { switch: [ { low: { when: .n < 3, then: small } }, { other: { then: large } } ] }
      - small: { set: { size: small }, then: end }
      - large: { set: { size: large } }
    """
    And given the workflow input is:
    """yaml
    n: 3
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    size: large
    """
    And small should not run

  Scenario: no case holds: its own then counts
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-switch, version: '1.0.0' }
    do:
      - choose: { switch: [ { low: { when: .n < 3, then: small } } ], then: large }
      - small: { set: { size: small }, then: end }
      - large: { set: { size: large } }
    """
    And given the workflow input is:
    """yaml
    n: 3
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    size: large
    """
    And small should not run
