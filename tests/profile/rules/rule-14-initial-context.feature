Feature: Rule 14: `$context` begins as an empty object
  Before anything is exported `$context` is `{}`, whatever the input is.

  Scenario: the context is empty at first
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-14
      version: '1.0.0'
    do:
      - tell: { set: { context: '${ $context }' } }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    context: {}
    """
