Feature: Rule 15: where the standard wants an expression, bare jq is one
  `if`, `when`, `exceptWhen`, `while`, `in`, `from`, `as` and `until` are expressions, bare or as a whole in `${ }`. Anywhere else a text is an
  expression only when all of it is one `${ }`. A text with `${ }` among other words is refused, with the form to use instead.

  Scenario: bare jq and the form in braces mean the same
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-15
      version: '1.0.0'
    do:
      - bare: { if: .n == 1, set: { a: '${ .n }' }, output: { as: .a } }
      - braces: { if: '${ . == 1 }', set: { b: '${ . }' }, output: { as: '${ .b + 1 }' } }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    2
    """

  Scenario: a text elsewhere is itself
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-15
      version: '1.0.0'
    do:
      - literal: { set: { text: .n } }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    text: .n
    """

  Scenario: an expression among other words is refused
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-15
      version: '1.0.0'
    do:
      - mixed: { set: { text: 'number ${ .n }!' } }
    """
    When the definition is published
    Then the definition should be refused with:
    """
    ${
    """
