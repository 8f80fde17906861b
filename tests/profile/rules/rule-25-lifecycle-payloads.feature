Feature: Rule 25: lifecycle events carry what the standard says, up to 64 KiB
  Workflow and task events of the standard go to `weft.lifecycle`, under ids that stay the same when they are published again. The later form, with an
  address instead of the output, is a setting. A payload of more than 64 KiB is given by reference. Their form is judged by specs on the bus.

  Scenario: an execution tells its own end to whoever listens
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-25
      version: '1.0.0'
    do:
      - tell: { emit: { event: { with: { source: https://example.com, type: com.example.told.v1, data: { n: 1 } } } } }
      - check: { set: { type: '${ .type }', id: '${ (.id | length) > 0 }', time: '${ .time | type }', specversion: '${ .specversion }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    type: com.example.told.v1
    id: true
    time: string
    specversion: '1.0'
    """
