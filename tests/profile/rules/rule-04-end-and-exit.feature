Feature: Rule 4: `end` completes the workflow, `exit` leaves the innermost task list
  `end` in a branch or a loop completes the whole workflow and cancels whatever else is under way. `exit` leaves the innermost list only: what is left
  of a branch, or of one pass of a loop. Only `while` stops a loop.

  Scenario: end in a branch completes the workflow and cancels its siblings
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-04
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - slow: { do: [ { rest: { wait: PT20S } }, { late: { set: { who: slow } } } ] }
              - ends: { do: [ { stop: { set: { who: ends }, then: end } } ] }
      - after: { set: { who: after } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    who: ends
    """
    And late should not run
    And after should not run

  Scenario: end in a loop completes the workflow
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-04
      version: '1.0.0'
    do:
      - each:
          for: { in: '[1, 2, 3]' }
          do:
            - stop: { set: { at: '${ $item }' }, then: end }
      - after: { set: { who: after } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    at: 1
    """
    And stop should run 1 times
    And after should not run

  Scenario: exit ends one pass of a loop, not the loop
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-04
      version: '1.0.0'
    do:
      - each:
          for: { in: '[1, 2, 3]' }
          do:
            - keep: { set: { seen: '${ (.seen // []) + [$item] }' }, then: exit }
            - never: { set: { seen: never } }
    """
    And given the workflow input is:
    """yaml
    {}
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    seen: [ 1, 2, 3 ]
    """
    And never should not run

  Scenario: exit leaves what is left of a branch
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-04
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - leaves: { do: [ { leave: { set: { who: leave }, then: exit } }, { never: { set: { who: never } } } ] }
              - stays: { set: { who: stays } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - { who: leave }
    - { who: stays }
    """
    And never should not run
