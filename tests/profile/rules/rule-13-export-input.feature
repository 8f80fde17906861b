Feature: Rule 13: `export.as` is evaluated on the transformed output
  `export.as` sees the output as `output.as` made it, and what it gives replaces `$context`.

  Scenario: export sees what output.as made
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-13
      version: '1.0.0'
    do:
      - make: { set: { n: 1 }, output: { as: '{ m: (.n + 1) }' }, export: { as: '{ got: ., same: (. == $output) }' } }
      - tell: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    got: { m: 2 }
    same: true
    """

  Scenario: an export replaces the context
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-13
      version: '1.0.0'
    do:
      - one: { set: { n: 1 }, export: { as: '{ a: 1 }' } }
      - two: { set: { n: 2 }, export: { as: '{ b: 2 }' } }
      - tell: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    b: 2
    """
