Feature: Rule 18: the output of `listen` is always a list
  Also of one event. `any` without `until` ends with the first that fits; `any` of no filters takes every event; `until` is tested after each event,
  and an event that ends the listening as `until` says is not part of the output. Each listener takes events in the order in which they come;
  `foreach` takes one at a time.

  Scenario: one event is a list of one
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-18
      version: '1.0.0'
    do:
      - hear: { listen: { to: { one: { with: { type: paid } } } } }
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: paid
    data: { n: 1 }
    """
    Then the workflow should complete with output:
    """yaml
    - { n: 1 }
    """

  Scenario: all takes one event for each filter, whatever their order
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-18
      version: '1.0.0'
    do:
      - hear: { listen: { to: { all: [ { with: { type: ordered } }, { with: { type: paid } } ] } } }
      - count: { set: { types: '${ [.[].n] | sort }' } }
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: paid
    data: { n: 2 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: ordered
    data: { n: 1 }
    """
    Then the workflow should complete with output:
    """yaml
    types: [ 1, 2 ]
    """

  Scenario: any ends with the first event that fits
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-18
      version: '1.0.0'
    do:
      - hear: { listen: { to: { any: [ { with: { type: paid } }, { with: { type: refused } } ] } } }
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: other
    data: { n: 0 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: refused
    data: { n: 1 }
    """
    Then the workflow should complete with output:
    """yaml
    - { n: 1 }
    """

  Scenario: until as a condition is tested after each event
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-18
      version: '1.0.0'
    do:
      - hear: { listen: { to: { any: [ { with: { type: reading } } ], until: '(map(.n) | add) >= 3' } } }
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: reading
    data: { n: 1 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: reading
    data: { n: 2 }
    """
    Then the workflow should complete with output:
    """yaml
    - { n: 1 }
    - { n: 2 }
    """

  Scenario: the event that until waits for is not part of the output
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-18
      version: '1.0.0'
    do:
      - hear: { listen: { to: { any: [ { with: { type: reading } } ], until: { one: { with: { type: enough } } } } } }
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: reading
    data: { n: 1 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: enough
    data: { n: 2 }
    """
    Then the workflow should complete with output:
    """yaml
    - { n: 1 }
    """

  Scenario: foreach takes one event at a time
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-18
      version: '1.0.0'
    do:
      - hear:
          listen: { to: { any: [ { with: { type: reading } } ], until: 'length == 2' } }
          foreach:
            item: reading
            at: n
            do: [ { double: { set: { twice: '${ $reading.v * 2 }', at: '${ $n }' } } } ]
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: reading
    data: { v: 4 }
    """
    And once hear has begun, this event is sent to it:
    """yaml
    type: reading
    data: { v: 5 }
    """
    Then the workflow should complete with output:
    """yaml
    - { twice: 8, at: 0 }
    - { twice: 10, at: 1 }
    """
    And double should run 2 times
