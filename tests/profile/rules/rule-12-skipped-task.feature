Feature: Rule 12: a skipped task passes its input on
  When `if` does not hold the output is the task's raw input. Neither `output.as` nor `export.as` is evaluated, and `then` is ignored: the next task
  of the list follows.

  Scenario: neither as, export nor then of a skipped task counts
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-12
      version: '1.0.0'
    do:
      - skipped: { if: 'false', set: { n: 2 }, output: { as: '{ as: true }' }, export: { as: '{ exported: true }' }, then: end }
      - next: { set: { input: '${ . }', context: '${ $context }' } }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    input: { n: 1 }
    context: {}
    """

  Scenario: a condition holds only when it is true
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-12
      version: '1.0.0'
    do:
      - truthy: { if: '1', set: { n: 2 } }
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
