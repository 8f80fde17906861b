Feature: Rule 20: a correlation without `expect` binds anew for each listen
  With `expect` the value must equal what the expression gave when the task was reached. Without it the first event's value binds, for this activation
  of the `listen` alone: in a loop each pass binds anew.

  Scenario: all events of one listen must have the value of the first
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-20
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              all:
                - { with: { type: ordered }, correlate: { order: { from: .data.order } } }
                - { with: { type: paid }, correlate: { order: { from: .data.order } } }
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: ordered
    data: { order: 1 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: paid
    data: { order: 2 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: paid
    data: { order: 1 }
    """
    Then the workflow should complete with output:
    """yaml
    - { order: 1 }
    - { order: 1 }
    """

  Scenario: each pass of a loop binds anew
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-20
      version: '1.0.0'
    do:
      - each:
          for: { in: '[1, 2]' }
          do: [ { hear: { listen: { to: { one: { with: { type: paid }, correlate: { order: { from: .data.order } } } } } } } ]
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: paid
    data: { order: 1 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: paid
    data: { order: 2 }
    """
    Then the workflow should complete with output:
    """yaml
    - { order: 2 }
    """
