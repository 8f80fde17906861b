Feature: Rule 2: of competing branches the first success wins
  The first branch that succeeds is the output of the fork, and the others are cancelled. A branch that fails leaves the others to go on. When all
  fail the last error is raised, with the others in its `causes`.

  Scenario: the first success is the output, and the loser is cancelled
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-02
      version: '1.0.0'
    do:
      - race:
          fork:
            compete: true
            branches:
              - slow: { do: [ { rest: { wait: PT20S } }, { late: { set: { who: slow } } } ] }
              - quick: { set: { who: quick } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    who: quick
    """
    And late should not run

  Scenario: a failure does not win
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-02
      version: '1.0.0'
    do:
      - race:
          fork:
            compete: true
            branches:
              - broken: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } }
              - sound: { do: [ { rest: { wait: PT0.05S } }, { say: { set: { who: sound } } } ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    who: sound
    """

  Scenario: when all fail, the last error is raised with the others as its causes
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-02
      version: '1.0.0'
    do:
      - attempt:
          try:
            - race:
                fork:
                  compete: true
                  branches:
                    - first: { raise: { error: { type: https://example.com/errors/first, status: 500 } } }
                    - last: { do: [ { rest: { wait: PT0.05S } }, { fail: { raise: { error: { type: https://example.com/errors/last, status: 500 } } } } ] }
          catch:
            do:
              - tell: { set: { raised: '${ $error.type }', causes: '${ [$error.causes[].type] }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    raised: https://example.com/errors/last
    causes: [ https://example.com/errors/first ]
    """
