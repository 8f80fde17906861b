Feature: Task: `do`
  Runs tasks one after the other; its output is that of the last one.

  Scenario: the output of each is the input of the next
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-do, version: '1.0.0' }
    do:
      - both: { do: [ { one: { set: { n: 1 } } }, { two: { set: { n: "${ .n + 1 }" } } } ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    n: 2
    """
    And two should run after one
