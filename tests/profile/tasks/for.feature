Feature: Task: `for`
  Runs its tasks once for each item of a list.

  Scenario: each item in turn
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-for, version: '1.0.0' }
    do:
      - each: { for: { each: n, in: .list }, do: [ { add: { set: { list: [], sum: "${ (.sum // 0) + $n }" } } } ] }
    """
    And given the workflow input is:
    """yaml
    list: [ 1, 2, 3 ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    list: []
    sum: 6
    """
