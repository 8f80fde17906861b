Feature: Rule 3: $context in a fork is a copy for each branch
  Branches do not see what their neighbours export. When the fork ends, what each branch changed in its copy is applied in declared order: of an
  object the fields that it set, changed or removed, of anything else the whole. Of competing branches only the winner's counts.

  Scenario: exports are applied in declared order when the branches join
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-03
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - slow:
                  do:
                    - rest: { wait: PT0.1S }
                    - export: { set: { n: 1 }, export: { as: '$context + { a: 1, last: "slow" }' } }
              - quick: { set: { n: 2 }, export: { as: '$context + { b: 2, last: "quick" }' } }
      - tell: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { a: 1, b: 2, last: quick }
    """

  Scenario: a branch does not see what another one exports
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-03
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - looks: { do: [ { rest: { wait: PT0.1S } }, { look: { set: { seen: '${ $context }' } } } ] }
              - exports: { set: { n: 2 }, export: { as: '{ secret: 1 }' } }
      - tell: { set: '${ .[0] }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    seen: {}
    """

  Scenario: of competing branches only the winner's exports count
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-03
      version: '1.0.0'
    do:
      - race:
          fork:
            compete: true
            branches:
              - loser: { do: [ { note: { set: { n: 1 }, export: { as: '{ loser: true }' } } }, { rest: { wait: PT20S } } ] }
              - winner: { do: [ { rest2: { wait: PT0.05S } }, { say: { set: { n: 2 }, export: { as: '$context + { winner: true }' } } } ] }
      - tell: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    winner: true
    """
