Feature: Rule 19: events before a `listen` and between two are kept
  An execution subscribes when it starts to everything that its document can correlate. An event that comes before its `listen` is kept in the history
  of the execution, 100 at most, and taken oldest first. Events count once by source and id.

  Scenario: an addressed event that comes early is taken later
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-19
      version: '1.0.0'
    do:
      - before: { wait: PT0.3S }
      - hear: { listen: { to: { one: { with: { type: paid } } } } }
    """
    When the workflow is executed
    And once before has begun, this event is sent to it:
    """yaml
    type: paid
    data: { n: 1 }
    """
    Then the workflow should complete with output:
    """yaml
    - { n: 1 }
    """

  Scenario: a correlated event that comes early is taken later
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-19
      version: '1.0.0'
    do:
      - before: { wait: PT0.5S }
      - hear: { listen: { to: { one: { with: { type: com.example.paid.v1 }, correlate: { order: { from: .data.order, expect: '${ $workflow.input.order }' } } } } } }
    """
    And given the workflow input is:
    """yaml
    order: early-7
    """
    When the workflow is executed
    And once before has begun, this event is published:
    """yaml
    type: com.example.paid.v1
    data: { order: early-7 }
    """
    Then the workflow should complete with output:
    """yaml
    - { order: early-7 }
    """

  Scenario: the same event counts once
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-19
      version: '1.0.0'
    do:
      - first: { listen: { to: { one: { with: { type: paid } } } } }
      - second: { listen: { to: { one: { with: { type: paid } } } } }
    """
    When the workflow is executed
    And once first has begun, this event is sent to it:
    """yaml
    type: paid
    id: same
    data: { n: 1 }
    """
    And once second has begun, this event is sent to it:
    """yaml
    type: paid
    id: same
    data: { n: 1 }
    """
    And once second has begun, this event is sent to it:
    """yaml
    type: paid
    id: other
    data: { n: 2 }
    """
    Then the workflow should complete with output:
    """yaml
    - { n: 2 }
    """
