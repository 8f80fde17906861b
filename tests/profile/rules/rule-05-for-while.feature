Feature: Rule 5: `while` is tested before each pass
  `while` of a loop is tested before each pass, the first included, with item and index of that pass bound. When it does not hold the loop ends. For
  an empty list or null the output is the input; anything else that is no list raises `validation`.

  Scenario: a loop whose while does not hold at first has no pass
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-05
      version: '1.0.0'
    do:
      - each:
          for: { in: '[5, 6]' }
          while: $item < 5
          do: [ { pass: { set: { n: '${ $item }' } } } ]
    """
    And given the workflow input is:
    """yaml
    kept: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    kept: true
    """
    And pass should not run

  Scenario: while sees the item and the index of the pass that it decides on
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-05
      version: '1.0.0'
    do:
      - each:
          for: { each: pet, at: n, in: '["a", "b", "c"]' }
          while: $pet != "c" and $n < 5
          do: [ { pass: { set: { last: '${ $pet }' } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    last: b
    """
    And pass should run 2 times

  Scenario: of an empty list the output is the input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-05
      version: '1.0.0'
    do:
      - each:
          for: { in: '[]' }
          do: [ { pass: { set: { n: 1 } } } ]
    """
    And given the workflow input is:
    """yaml
    kept: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    kept: true
    """

  Scenario: null counts as an empty list
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-05
      version: '1.0.0'
    do:
      - each:
          for: { in: .missing }
          do: [ { pass: { set: { n: 1 } } } ]
    """
    And given the workflow input is:
    """yaml
    kept: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    kept: true
    """
