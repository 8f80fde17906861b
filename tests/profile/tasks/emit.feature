Feature: Task: `emit`
  Publishes a CloudEvent after the decision is durable; its output is the event.

  Scenario: attributes may be expressions, and the event has an id of its own
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-emit, version: '1.0.0' }
    do:
      - tell: { emit: { event: { with: { source: https://example.com, type: com.example.told.v1, subject: "${ .who }", data: { n: "${ .n }" } } } } }
      - check: { set: { subject: "${ .subject }", n: "${ .data.n }", id: "${ .id | type }" } }
    """
    And given the workflow input is:
    """yaml
    who: ada
    n: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    subject: ada
    n: 1
    id: string
    """
