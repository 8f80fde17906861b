Feature: Rule 16: of an expression's outputs the first counts
  An expression gives its first output; one that gives none gives null. `env`, `input`, `debug` and `halt` are not there, and publish says so. `now`
  is the time of the event that is decided on. An expression has a budget of steps, depth and bytes, and its regular expressions take time linear in
  text and pattern.

  Scenario: the first output counts, and none is null
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-16
      version: '1.0.0'
    do:
      - pick: { set: { first: '${ .list[] }', none: '${ empty }' } }
    """
    And given the workflow input is:
    """yaml
    list: [ 3, 4 ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    first: 3
    none: null
    """

  Scenario: null is a value like others
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-16
      version: '1.0.0'
    do:
      - some: { set: { n: 1 } }
      - none: { set: '${ null }' }
      - look: { input: { from: .missing }, set: { input: '${ . }' }, output: { as: '{ kept: .input }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    kept: null
    """

  Scenario: now stands still within a decision
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-16
      version: '1.0.0'
    do:
      - look: { set: { same: '${ now == now }', sane: '${ now > 1700000000 }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    same: true
    sane: true
    """

  Scenario: an expression that would not end exceeds its budget
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-16
      version: '1.0.0'
    do:
      - attempt:
          try: [ { loop: { set: { n: '${ [range(1e12)] | length }' } } } ]
          catch:
            errors: { with: { type: https://serverlessworkflow.io/spec/1.0.0/errors/expression } }
            do: [ { mend: { set: { mended: true } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    mended: true
    """

  Scenario: the environment is out of reach
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-16
      version: '1.0.0'
    do:
      - look: { set: { n: '${ env.HOME }' } }
    """
    When the definition is published
    Then the definition should be refused with:
    """
    env
    """
