Feature: Rule 6: each pass gets the output of the one before
  `in` is evaluated once. Passes follow each other; the input of each is the output of the one before it. Item and index belong to the pass.

  Scenario: outputs are threaded through the passes
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-06
      version: '1.0.0'
    do:
      - sum:
          for: { in: '.numbers' }
          do: [ { add: { set: { total: '${ .total + $item }', numbers: [] } } } ]
    """
    And given the workflow input is:
    """yaml
    total: 0
    numbers: [ 1, 2, 3 ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    total: 6
    numbers: []
    """

  Scenario: an inner loop has an item of its own
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-06
      version: '1.0.0'
    do:
      - outer:
          for: { each: row, in: '[[1, 2], [3]]' }
          do:
            - inner:
                for: { each: cell, at: column, in: '$row' }
                do: [ { note: { set: { seen: '${ (.seen // []) + [[$index, $column, $cell]] }' } } } ]
    """
    And given the workflow input is:
    """yaml
    {}
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    seen: [ [ 0, 0, 1 ], [ 0, 1, 2 ], [ 1, 0, 3 ] ]
    """
