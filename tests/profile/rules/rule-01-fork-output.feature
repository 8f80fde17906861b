Feature: Rule 1: the output of a fork is the list of its branches' outputs, in declared order
  The standard shows a list. In which order, whatever ends first, it does not say. Ours is the order in which the branches are declared; a skipped
  branch gives its input.

  Scenario: a slow first branch stays first
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-01
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - slow: { do: [ { rest: { wait: PT0.15S } }, { say: { set: { who: slow } } } ] }
              - quick: { set: { who: quick } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - { who: slow }
    - { who: quick }
    """

  Scenario: a skipped branch gives its input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-01
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - skipped: { if: 'false', set: { who: nobody } }
              - taken: { set: { who: taken } }
    """
    And given the workflow input is:
    """yaml
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - { n: 1 }
    - { who: taken }
    """
