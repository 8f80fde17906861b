Feature: Task: `fork`
  Runs branches at the same time.

  Scenario: all branches begin before one ends
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-fork, version: '1.0.0' }
    do:
      - both: { fork: { branches: [ { a: { do: [ { restA: { wait: PT0.05S } }, { sayA: { set: { n: 1 } } } ] } }, { b: { do: [ { restB: { wait: PT0.05S } }, { sayB: { set: { n: 2 } } } ] } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - { n: 1 }
    - { n: 2 }
    """
    And sayA should run after restB
