Feature: Rule 17: `set` replaces
  What `set` gives is the whole output of the task; nothing of the input stays.

  Scenario: nothing of the input stays
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-17
      version: '1.0.0'
    do:
      - make: { set: { b: 2 } }
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
