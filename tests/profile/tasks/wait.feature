Feature: Task: `wait`
  Waits for a time.

  Scenario: its output is its input
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-wait, version: '1.0.0' }
    do:
      - rest: { wait: { milliseconds: 20 } }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    n: 1
    """
